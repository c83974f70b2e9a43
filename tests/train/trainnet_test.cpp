// Training by trainnet against a loop by hand, on data of every kind; what stops it, and what it answers.
#include "core/pool.hpp"
#include "harness/mistake.hpp"
#include "harness/threads.hpp"

#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unistd.h>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;
using dl::test::withThreads;

namespace {

struct Data {
  DlArray X, T;
};

// Points around three corners with their classes, N x 2 and N x 1.
Data corners(Index n, std::uint64_t seed) {
  const RandomState before = rng(seed);
  const DlArray T = transpose(randi(3, Size{1, n}) - 1);
  const DlArray X = horzcat(3 * (T == 1), 3 * (T == 2)) + 0.4 * randn(n, 2);
  rng(before);
  return {X, T};
}

std::vector<AnyLayer> classifier() {
  return {featureInputLayer(2), fullyConnectedLayer(8), reluLayer(), fullyConnectedLayer(3), softmaxLayer()};
}

bool same(const Learnables& a, const Learnables& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!isequal(a[i].value, b[i].value)) return false;
  return true;
}

TrainingOptions quiet(std::string_view solver, Index epochs, Index batch) {
  return trainingOptions(solver, {.maxEpochs = epochs, .miniBatchSize = batch, .verbose = false});
}

}  // namespace

BOOST_AUTO_TEST_CASE(classes_are_learned_by_every_solver) {
  const Data train = corners(300, 1), test = corners(100, 2);
  for (const char* solver : {"sgdm", "rmsprop", "adam", "adamw"}) {
    rng(0);
    TrainingOptions options = quiet(solver, 20, 30);
    options.initialLearnRate = 0.02;
    options.metrics = "accuracy";
    const auto [net, info] = trainnet<2>(train.X, train.T, classifier(), "crossentropy", options);
    BOOST_TEST(testnet(net, test.X, test.T, "accuracy") >= 98.0, solver);
    BOOST_TEST_REQUIRE(info.trainingHistory.size() == 200U);
    BOOST_TEST(info.trainingHistory.back().trainingLoss < info.trainingHistory.front().trainingLoss / 4);
    BOOST_TEST(info.trainingHistory.back().metrics.at(0) >= 90.0);
    BOOST_TEST(info.trainingHistory[10].epoch == 2);
    BOOST_TEST(info.stopReason == "Max epochs completed");
    BOOST_TEST(info.outputNetworkIteration == 200);
    const DlArray scores = minibatchpredict(net, test.X, {.miniBatchSize = 7});
    BOOST_TEST(bool(size(scores) == Size{100, 3}));
    BOOST_TEST(dims(scores).empty());
    const double right = double(mean(scores2label(scores, colon(0, 2)) == test.T));
    BOOST_TEST(std::abs(100 * right - testnet(net, {test.X, test.T}, std::vector<Metric>{"accuracy"}, {.miniBatchSize = 9})[0]) <
               1e-9);
  }
}

BOOST_AUTO_TEST_CASE(a_loop_by_hand_gives_the_same_bits) {
  const Data data = corners(64, 3);
  rng(7);
  DlNetwork hand = dlnetwork({featureInputLayer(2), fullyConnectedLayer(8, {.name = "one", .weightLearnRateFactor = 2}),
                              tanhLayer(), fullyConnectedLayer(3, {.name = "two", .biasLearnRateFactor = 0}), softmaxLayer()});
  TrainingOptions options = quiet("adam", 3, 16);
  options.shuffle = "never";
  options.l2Regularization = 0.01;
  options.gradientThreshold = 0.5;
  options.gradientThresholdMethod = "global-l2norm";
  options.learnRateSchedule = "exponential";
  const DlNetwork trained = trainnet(data.X, data.T, hand, "crossentropy", options);
  const DlArray X = dlarray(single_(data.X), "BC");
  const DlArray T = dlarray(onehotencode(single_(data.T), 1, {.classNames = colon(0, 2)}), "BC");
  Learnables average, squares;
  for (int iteration = 1; iteration <= 12; ++iteration) {
    const Index first = (iteration - 1) % 4 * 16;
    const DlArray x = X(all, span(first, first + 15)), t = T(all, span(first, first + 15));
    auto [loss, gradients] = dlfeval(
        [&](const DlNetwork& net) {
          const DlArray l = crossentropy(std::get<0>(forward(net, x)), t);
          return std::tuple(l, dlgradient(l, net.learnables()));
        },
        hand);
    const Learnables now = hand.learnables();
    for (std::size_t i = 0; i < now.size(); ++i)
      if (now[i].factors.l2 != 0 && numel(gradients[i].value) > 0)
        gradients[i].value = gradients[i].value + single_(DlArray(0.01)) * now[i].value;
    clipGradients(gradients, 0.5, "global-l2norm");
    adamupdate(hand, gradients, average, squares, iteration, 0.001 * std::pow(0.1, (iteration - 1) / 4));
  }
  const Learnables a = trained.learnables(), b = hand.learnables();
  for (std::size_t i = 0; i < a.size(); ++i)
    BOOST_TEST(double(max(abs(a[i].value - b[i].value), {}, "all")) <= 1e-6, a[i].layer << "/" << a[i].parameter);
}

BOOST_AUTO_TEST_CASE(networks_are_updated_in_place_and_frozen_parameters_stay) {
  rng(1);
  const DlNetwork start = dlnetwork({featureInputLayer(100), fullyConnectedLayer(200, {.name = "a"}),
                                     fullyConnectedLayer(50, {.name = "b", .weightLearnRateFactor = 0})});
  const DlArray X = dlarray(randn(100, 20), "CB");
  for (int solver = 0; solver < 4; ++solver) {
    DlNetwork net = start;
    Learnables first, second;
    const float* at = nullptr;
    for (int t = 1; t <= 100; ++t) {
      const Learnables g = dlfeval(
          [&](const DlNetwork& n) { return dlgradient(mean(pow(std::get<0>(forward(n, X)), 2), "all"), n.learnables()); }, net);
      BOOST_TEST(isempty(g("b/Weights")));
      if (solver == 0) sgdmupdate(net, g, first);
      if (solver == 1) adamupdate(net, g, first, second, t);
      if (solver == 2) rmspropupdate(net, g, first);
      if (solver == 3) adamwupdate(net, g, first, second, t);
      const float* now = data<float>(net.learnables()("a/Weights"));
      if (t > 1) BOOST_TEST(now == at);
      at = now;
    }
    BOOST_TEST(isequal(net.learnables()("b/Weights"), start.learnables()("b/Weights")));
    BOOST_TEST(!isequal(net.learnables()("a/Weights"), start.learnables()("a/Weights")));
    BOOST_TEST(isempty(first("b/Weights")));
  }
  // L-BFGS takes networks too.
  DlNetwork net = start;
  LbfgsState state = lbfgsState();
  for (int t = 0; t < 20; ++t)
    lbfgsupdate(
        net,
        [&](const DlNetwork& n) {
          return dlfeval(
              [&](const DlNetwork& p) {
                const DlArray l = mean(pow(std::get<0>(forward(p, X)), 2), "all");
                return std::tuple(l, dlgradient(l, p.learnables()));
              },
              n);
        },
        state);
  BOOST_TEST(isequal(net.learnables()("b/Weights"), start.learnables()("b/Weights")));
  BOOST_TEST(state.loss < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_bits_for_every_number_of_threads) {
  const Data data = corners(500, 5);
  const auto train = [&] {
    rng(11);
    TrainingOptions options = quiet("adam", 20, 100);
    options.shuffle = "every-epoch";
    return trainnet(data.X, data.T,
                    {featureInputLayer(2), fullyConnectedLayer(300), batchNormalizationLayer(), reluLayer(), dropoutLayer(0.2),
                     fullyConnectedLayer(3), softmaxLayer()},
                    "crossentropy", options);
  };
  const DlNetwork one = withThreads(1, train), again = withThreads(1, train), two = withThreads(2, train);
  BOOST_TEST(same(one.learnables(), again.learnables()));
  BOOST_TEST(same(one.learnables(), two.learnables()));
  BOOST_TEST(same(one.state(), two.state()));
}

BOOST_AUTO_TEST_CASE(validation_stops_and_keeps_the_best) {
  const Data data = corners(60, 6), other = corners(60, 7);
  rng(0);
  TrainingOptions options = quiet("sgdm", 50, 20);
  options.initialLearnRate = 3;  // so large that it cannot go well for long
  options.validationData = {other.X, other.T};
  options.validationFrequency = 1;
  options.validationPatience = 4;
  const auto [net, info] = trainnet<2>(data.X, data.T, classifier(), "crossentropy", options);
  BOOST_TEST(info.stopReason == "Met validation criterion");
  double best = 1e300;
  Index at = 0;
  for (const auto& row : info.validationHistory)
    if (row.validationLoss < best) best = row.validationLoss, at = row.iteration;
  BOOST_TEST(info.outputNetworkIteration == at);
  BOOST_TEST(
      std::abs(testnet(net, other.X, dlarray(onehotencode(other.T, 1, {.classNames = colon(0, 2)}), "BC"), "crossentropy") -
               best) < 1e-5);
  options.outputNetwork = "last-iteration";
  rng(0);
  const auto last = std::get<1>(trainnet<2>(data.X, data.T, classifier(), "crossentropy", options));
  BOOST_TEST(last.outputNetworkIteration == last.trainingHistory.back().iteration);
}

BOOST_AUTO_TEST_CASE(output_functions_see_everything_and_stop) {
  const Data data = corners(40, 8);
  std::vector<std::string> states;
  TrainingOptions options = quiet("adam", 10, 10);
  options.plots = "training-progress";
  options.outputFcn = [&](const TrainingProgressInfo& info) {
    states.push_back(info.state);
    return info.iteration == 7;
  };
  const auto [net, info] = trainnet<2>(data.X, data.T, classifier(), "crossentropy", options);
  BOOST_TEST(info.stopReason == "Stopped by OutputFcn");
  BOOST_TEST(info.trainingHistory.size() == 7U);
  BOOST_TEST(states.size() == 9U);
  BOOST_TEST(states.front() == "start");
  BOOST_TEST(states.back() == "done");
  BOOST_TEST_REQUIRE(!info.monitor.metrics().empty());
  BOOST_TEST(info.monitor.metricData("TrainingLoss").size() == 7U);
  BOOST_TEST(info.monitor.metricData("TrainingLoss")[6].value == info.trainingHistory[6].trainingLoss);
}

BOOST_AUTO_TEST_CASE(progress_is_plain_lines_where_there_is_no_terminal) {
  const Data data = corners(60, 8);
  const auto printed = [&](bool verbose) {
    std::fflush(stdout);
    std::FILE* file = std::tmpfile();
    const int terminal = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    TrainingOptions options = quiet("adam", 2, 10);
    options.verbose = verbose;
    options.verboseFrequency = 5;
    options.metrics = "accuracy";
    trainnet(data.X, data.T, classifier(), "crossentropy", options);
    std::fflush(stdout);
    dup2(terminal, STDOUT_FILENO);
    close(terminal);
    std::rewind(file);
    std::string text;
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
    std::fclose(file);
    return text;
  };
  BOOST_TEST(printed(false).empty());
  const std::string text = printed(true);
  BOOST_TEST(text.find("TrainingLoss") != std::string::npos);
  BOOST_TEST(text.find("Accuracy") != std::string::npos);
  BOOST_TEST(text.find('\r') == std::string::npos);
  BOOST_TEST(text.ends_with("Training stopped: Max epochs completed\n"));
  // The header, iterations 1, 5, 10, 12, and why it ended.
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 6, text);
}

BOOST_AUTO_TEST_CASE(steady_steps_take_no_memory_from_the_system) {
  if (!detail::pooling) return;
  const Data data = corners(256, 9);
  TrainingOptions options = quiet("adam", 25, 64);
  options.gradientThreshold = 1;
  std::size_t early = 0, late = 0;
  options.outputFcn = [&](const TrainingProgressInfo& info) {
    if (info.iteration == 20) early = memoryUse().taken;
    if (info.iteration == 100) late = memoryUse().taken;
  };
  trainnet(data.X, data.T, {featureInputLayer(2), fullyConnectedLayer(500), reluLayer(), fullyConnectedLayer(3), softmaxLayer()},
           "crossentropy", options);
  BOOST_TEST(early > 0U);
  BOOST_TEST(late == early);
}

BOOST_AUTO_TEST_CASE(input_layers_learn_their_statistics) {
  rng(2);
  const DlArray X = 5 + 2 * randn(30, 3), T = sum(X, 1);
  TrainingOptions options = quiet("sgdm", 1, 10);
  options.initialLearnRate = 1e-6;
  const DlNetwork net =
      trainnet(X, T, {featureInputLayer(3, {.name = "in", .normalization = "zscore"}), fullyConnectedLayer(1)}, "mse", options);
  const DlArray z = activations(net, dlarray(X, "BC"), "in");
  BOOST_TEST(double(max(abs(mean(z, "B")))) < 1e-5);
  BOOST_TEST(double(max(abs(stddev(z, 1, "B") - 1))) < 1e-4);
  // Statistics that are given stay when they shall.
  options.resetInputNormalization = false;
  const DlNetwork kept =
      trainnet(X, T, {featureInputLayer(3, {.name = "in", .normalization = "zerocenter", .mean = 4}), fullyConnectedLayer(1)},
               "mse", options);
  BOOST_TEST(double(max(abs(activations(kept, dlarray(X, "BC"), "in") - (dlarray(X, "BC") - 4)), {}, "all")) < 1e-5);
}

BOOST_AUTO_TEST_CASE(population_statistics_are_those_of_all_data) {
  rng(4);
  const DlArray X = 3 + 2 * randn(80, 2), T = randn(80, 1);
  TrainingOptions options = quiet("sgdm", 2, 20);
  options.batchNormalizationStatistics = "population";
  const DlNetwork net =
      trainnet(X, T, {featureInputLayer(2), batchNormalizationLayer({.name = "bn"}), fullyConnectedLayer(1)}, "mse", options);
  const DlArray mean0 = transpose(mean(X, 0)), var0 = transpose(var(X, 1, 0));
  BOOST_TEST(double(max(abs(net.state()("bn/TrainedMean")(all)-mean0(all)))) < 1e-4);
  BOOST_TEST(double(max(abs(net.state()("bn/TrainedVariance")(all)-var0(all)))) < 1e-3);
}

BOOST_AUTO_TEST_CASE(lbfgs_fits_the_whole_batch) {
  rng(6);
  const DlArray X = randn(50, 3), T = X * dlarray({{1.0}, {-2.0}, {0.5}}) + 0.25;
  TrainingOptions options =
      trainingOptions("lbfgs", {.l2Regularization = 0, .verbose = false, .gradientTolerance = 1e-6, .stepTolerance = 1e-7});
  const auto [net, info] = trainnet<2>(X, T, {featureInputLayer(3), fullyConnectedLayer(1, {.name = "fc"})}, "mse", options);
  BOOST_TEST(double(max(abs(net.learnables()("fc/Weights") - dlarray({1.0, -2.0, 0.5})))) < 1e-4);
  BOOST_TEST(std::abs(double(net.learnables()("fc/Bias")) - 0.25) < 1e-4);
  BOOST_TEST(info.stopReason != "Max iterations completed");
  BOOST_TEST(info.trainingHistory.back().trainingLoss < 1e-8);
}

BOOST_AUTO_TEST_CASE(datastores_queues_and_sequences) {
  const Data data = corners(90, 10);
  const Datastore ds = combine(arrayDatastore(data.X), arrayDatastore(data.T));
  TrainingOptions options = quiet("adam", 15, 30);
  options.initialLearnRate = 0.05;
  rng(0);
  const DlNetwork a = trainnet(data.X, data.T, classifier(), "crossentropy", options);
  rng(0);
  const DlNetwork b = trainnet(ds, classifier(), "crossentropy", options);
  BOOST_TEST(same(a.learnables(), b.learnables()));
  BOOST_TEST(bool(size(minibatchpredict(b, ds)) == Size{90, 3}));
  MiniBatchQueue mbq = minibatchqueue(ds, {.miniBatchSize = 30, .miniBatchFormat = {"BC", "BC"}, .oneHot = {0, 3}});
  const DlNetwork c = trainnet(mbq, classifier(), "crossentropy", options);
  BOOST_TEST(testnet(c, mbq, "accuracy") >= 95.0);

  // The sum of a sequence's numbers, whatever its length.
  rng(1);
  std::vector<DlArray> sequences;
  std::vector<double> sums;
  for (int i = 0; i < 60; ++i) {
    sequences.push_back(rand(3 + i % 4, 1));
    sums.push_back(double(sum(sequences.back())));
  }
  TrainingOptions forSequences = quiet("adam", 60, 20);
  forSequences.initialLearnRate = 0.02;
  forSequences.sequencePaddingDirection = "left";
  const auto [net, info] =
      trainnet<2>(sequences, dlarray(sums, Size{60, 1}),
                  {sequenceInputLayer(1), lstmLayer(8, {.outputMode = "last"}), fullyConnectedLayer(1)}, "mse", forSequences);
  BOOST_TEST(info.trainingHistory.back().trainingLoss < info.trainingHistory.front().trainingLoss / 10);
  BOOST_TEST(bool(size(minibatchpredict(net, sequences, {.sequencePaddingDirection = "left"})) == Size{60, 1}));
}

BOOST_AUTO_TEST_CASE(images_with_and_without_labels) {
  rng(13);
  const DlArray T = randi(2, Size{50, 1}) - 1;
  DlArray X = rand(Size{6, 6, 1, 50});
  for (Index i = 0; i < 50; ++i) X(span(0, 2), all, 0, i) = X(span(0, 2), all, 0, i) + T(i);
  const std::vector<AnyLayer> layers{imageInputLayer({6, 6, 1}), convolution2dLayer(3, 4), reluLayer(), fullyConnectedLayer(2),
                                     softmaxLayer()};
  TrainingOptions options = quiet("adam", 20, 10);
  options.initialLearnRate = 0.01;
  options.validationData = {X, T};
  const auto train = [&](const TrainingData& data) {
    rng(1);
    return trainnet(data, layers, "crossentropy", options);
  };
  const DlNetwork plain = train({X, T});
  BOOST_TEST(testnet(plain, X, T, "accuracy") == 100.0);
  const DlArray oneHot = onehotencode(T, 1, {.classNames = colon(0, 1)});
  const DlNetwork labelled = train({dlarray(X, "SSCB"), dlarray(oneHot, "BC")});
  BOOST_TEST(same(plain.learnables(), labelled.learnables()));
  const DlNetwork stored = train(combine(arrayDatastore(X, {.iterationDimension = 3}), arrayDatastore(T)));
  BOOST_TEST(same(plain.learnables(), stored.learnables()));
  options.preprocessingEnvironment = "background";
  BOOST_TEST(same(plain.learnables(), train({X, T}).learnables()));
  BOOST_TEST(
      bool(size(minibatchpredict(plain, X, {.miniBatchSize = 8, .outputs = {plain.layers()[1].name()}})) == Size{4, 4, 4, 50}));
}

BOOST_AUTO_TEST_CASE(losses_of_ones_own_and_several_outputs) {
  const Data data = corners(40, 11);
  TrainingOptions options = quiet("sgdm", 2, 20);
  rng(0);
  const DlNetwork byName = trainnet(data.X, data.X, {featureInputLayer(2), fullyConnectedLayer(2)}, "mse", options);
  rng(0);
  const DlNetwork own = trainnet(
      data.X, data.X, {featureInputLayer(2), fullyConnectedLayer(2)},
      [](const DlArray& y, const DlArray& t) { return mean(pow(y - t, 2), "all"); }, options);
  const Learnables a = byName.learnables(), b = own.learnables();
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(double(max(abs(a[i].value - b[i].value), {}, "all")) < 1e-6);
  LayerGraph graph = layerGraph({featureInputLayer(2, {.name = "in"}), fullyConnectedLayer(3, {.name = "a"})});
  graph = connectLayers(addLayers(graph, {fullyConnectedLayer(1, {.name = "b"})}), "in", "b");
  const Datastore ds = combine(arrayDatastore(data.X), arrayDatastore(data.T), arrayDatastore(data.T));
  const auto [net, info] = trainnet<2>(
      ds, graph,
      [](const DlArray& y1, const DlArray& y2, const DlArray& t1, const DlArray& t2) {
        return crossentropy(softmax(y1), onehotencode(t1, "C", {.classNames = colon(0, 2)})) + mse(y2, t2);
      },
      options);
  BOOST_TEST(info.trainingHistory.size() == 4U);
  const auto [y1, y2] = minibatchpredict<2>(net, data.X);
  BOOST_TEST(bool(size(y1) == Size{40, 3}));
  BOOST_TEST(bool(size(y2) == Size{40, 1}));
}

BOOST_AUTO_TEST_CASE(options_have_the_defaults_of_their_solver) {
  const TrainingOptions o = trainingOptions("adam");
  BOOST_TEST(o.solver == "adam");
  BOOST_TEST(o.maxEpochs == 30);
  BOOST_TEST(o.miniBatchSize == 128);
  BOOST_TEST(o.shuffle == "once");
  BOOST_TEST(o.validationFrequency == 50);
  const auto sentence = [](const auto& call) { return mistake(call).sentence; };
  BOOST_TEST(sentence([] { trainingOptions("adm"); }).starts_with("trainingOptions: solver is \"adm\"; use one of \"sgdm\""));
  BOOST_TEST(sentence([] { trainingOptions("lm"); }).starts_with("trainingOptions: \"lm\" is not in this version"));
  BOOST_TEST(sentence([] {
               trainingOptions("sgdm", {.shuffle = "always"});
             }).starts_with("trainingOptions: shuffle is \"always\"; use one of \"once\", \"never\", \"every-epoch\""));
  BOOST_TEST(sentence([] {
               trainingOptions("sgdm", {.executionEnvironment = "gpu"});
             }).starts_with("trainingOptions: executionEnvironment is \"gpu\"; use one of \"auto\", \"cpu\""));
  BOOST_TEST(sentence([] { trainingOptions("sgdm", {.maxEpochs = 0}); }).starts_with("trainingOptions: maxEpochs is 0"));
  BOOST_TEST(sentence([] {
               trainingOptions("sgdm", {.objectiveMetricName = "Accuracy"});
             }).starts_with("trainingOptions: objectiveMetricName \"Accuracy\" is neither \"loss\" nor the name of a metric"));
}

BOOST_AUTO_TEST_CASE(mistakes_are_named_with_the_users_line) {
  const Data data = corners(20, 12);
  TrainingOptions options = quiet("sgdm", 1, 10);
  const auto sentence = [](const auto& call) { return mistake(call).sentence; };
  BOOST_TEST(sentence([&] {
               trainnet(data.X, data.T, classifier(), "crossentropie", options);
             }).starts_with("trainnet: the loss \"crossentropie\" is not known; use \"crossentropy\""));
  BOOST_TEST(sentence([&] {
               trainnet(data.X, ones(7, 1), classifier(), "crossentropy", options);
             }).starts_with("trainnet: 20 observations in one array, 7 in 7 x 1 labelled BC"));
  const std::string line = "trainnet_test.cpp:" + std::to_string(__LINE__ + 2) + ")";
  const auto said = sentence([&] {
    trainnet(
        data.X, data.T, classifier(), [](const DlArray& y, const DlArray& t) { return y - t; }, options);
  });
  BOOST_TEST(said.starts_with("trainnet: the loss is "), said);
  BOOST_TEST(said.find(line) != std::string::npos, said);
  options.checkpointPath = "/no/such/folder";
  BOOST_TEST(sentence([&] {
               trainnet(data.X, data.T, classifier(), "crossentropy", options);
             }).starts_with("trainnet: checkpointPath \"/no/such/folder\" is no folder"));
  options.checkpointPath = "";
  options.shuffle = "sometimes";
  BOOST_TEST(sentence([&] {
               trainnet(data.X, data.T, classifier(), "crossentropy", options);
             }).starts_with("trainnet: shuffle is \"sometimes\""));
}

BOOST_AUTO_TEST_CASE(data_without_mini_batches_is_refused) {
  const Data data = corners(20, 3);
  const Datastore ds = combine(arrayDatastore(data.X), arrayDatastore(data.T));
  MiniBatchQueue few = minibatchqueue(ds, {.miniBatchSize = 64, .partialMiniBatch = "discard", .miniBatchFormat = {"BC", "BC"}});
  const std::string words = "20 observations fill no mini-batch of 64; take smaller ones, or partialMiniBatch = \"return\"";
  const auto said = [](const auto& call) { return mistake(call).sentence; };
  const DlNetwork net = trainnet(ds, classifier(), "crossentropy", quiet("adam", 1, 64));  // all of them are one mini-batch
  BOOST_TEST(said([&] { trainnet(few, classifier(), "crossentropy", quiet("adam", 1, 8)); }).starts_with("trainnet: " + words));
  BOOST_TEST(said([&] { testnet(net, few, "accuracy"); }).starts_with("testnet: " + words));
  BOOST_TEST(said([&] { minibatchpredict(net, few); }).starts_with("minibatchpredict: " + words));
  MiniBatchQueue parts = minibatchqueue(ds, {.miniBatchSize = 8, .miniBatchFormat = {"BC", "BC"}});
  BOOST_TEST(said([&] {
               trainnet(parts, classifier(), "crossentropy", trainingOptions("lbfgs", {.verbose = false}));
             }).starts_with("trainnet: lbfgs works on all observations at once, the queue has 3 mini-batches"));
  BOOST_TEST(said([&] { testnet(net, ds, "accuracy", {.miniBatchSize = 0}); }).starts_with("testnet: miniBatchSize is 0"));
  BOOST_TEST(
      said([&] { minibatchpredict(net, ds, {.miniBatchSize = -3}); }).starts_with("minibatchpredict: miniBatchSize is -3"));
  TrainingOptions options = quiet("adam", 1, 8);
  options.validationData = subset(ds, std::vector<Index>());
  BOOST_TEST(said([&] {
               trainnet(ds, classifier(), "crossentropy", options);
             }).starts_with("trainnet: validationData: the data has no observations"));
  BOOST_TEST(said([&] {
               trainingOptions("adam", {.initialLearnRate = std::numeric_limits<double>::infinity()});
             }).starts_with("trainingOptions: initialLearnRate is infinite"));
}

BOOST_AUTO_TEST_CASE(metrics_in_braces) {
  const Data data = corners(20, 3);
  const DlNetwork net = trainnet(data.X, data.T, classifier(), "crossentropy", quiet("adam", 1, 8));
  const double accuracy = testnet(net, data.X, data.T, "accuracy");
  const auto one = testnet(net, data.X, data.T, {"accuracy"});
  const double number = testnet(net, {data.X, data.T}, {"accuracy"});
  const std::vector<double> two = testnet(net, data.X, data.T, {"accuracy", fScoreMetric()});
  BOOST_TEST(one.size() == 1U);
  BOOST_TEST(one[0] == accuracy);
  BOOST_TEST(number == accuracy);
  BOOST_TEST(two[0] == accuracy);
  BOOST_TEST(mistake([&] {
               double(testnet(net, data.X, data.T, {"accuracy", "fscore"}));
             }).sentence.starts_with("testnet: 2 values are no number"));
}

BOOST_AUTO_TEST_CASE(a_validation_that_is_no_number_is_never_the_best) {
  const Data data = corners(20, 3);
  TrainingOptions options = quiet("sgdm", 3, 20);
  options.validationData = {data.X, data.T};
  options.validationFrequency = 1;
  Index calls = 0;
  // Each iteration takes the loss once for training and once for validation, which first is NaN.
  const auto loss = [&calls](const DlArray& y, const DlArray& t) {
    return crossentropy(y, onehotencode(t, Dimensions('C'), {.classNames = {0, 1, 2}})) *
           (++calls == 2 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
  };
  const auto [net, info] = trainnet<2>(data.X, data.T, classifier(), loss, options);
  BOOST_TEST(std::isnan(info.validationHistory[0].validationLoss));
  BOOST_TEST(info.outputNetworkIteration > 1);
}
