// Trainings that are killed and go on, bit for bit.
#include "harness/mistake.hpp"
#include "io/folder.hpp"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::Folder;
using dl::test::mistake;

namespace {

struct Case {
  const char *solver, *shuffle;
  bool validates;
};

TrainingOptions optionsOf(const Case& c) {
  TrainingOptions options =
      trainingOptions(c.solver, {.maxEpochs = 6, .miniBatchSize = 16, .shuffle = c.shuffle, .verbose = false});
  options.learnRateSchedule = {"warmup", cosineLearnRate({.period = 3})};
  options.metrics = "accuracy";
  if (c.validates) {
    rng(99);
    options.validationData = {randn(24, 4), randi(3, Size{24, 1}) - 1};
    options.validationFrequency = 7;
  }
  return options;
}

// Everything starts from a seed: data, network, order, dropout.
std::tuple<DlNetwork, TrainingInfo> train(const TrainingOptions& options) {
  rng(5);
  const DlArray X = randn(130, 4), T = randi(3, Size{130, 1}) - 1;
  return trainnet<2>(X, T,
                     {featureInputLayer(4, {.normalization = "zscore"}), fullyConnectedLayer(12), batchNormalizationLayer(),
                      reluLayer(), dropoutLayer(0.3), fullyConnectedLayer(3), softmaxLayer()},
                     "crossentropy", options);
}

std::string checkpoint(const Folder& folder, Index iteration) {
  return folder / ("net_checkpoint__" + std::to_string(iteration) + ".dlnet");
}

bool same(const ParameterTable& a, const ParameterTable& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; equal && i < a.size(); ++i) equal = isequal(a[i].value, b[i].value);
  return equal;
}

void compare(const std::tuple<DlNetwork, TrainingInfo>& whole, const std::tuple<DlNetwork, TrainingInfo>& parts) {
  const auto& [net, info] = whole;
  const auto& [other, otherInfo] = parts;
  BOOST_TEST(same(net.learnables(), other.learnables()));
  BOOST_TEST(same(net.state(), other.state()));
  BOOST_TEST(info.outputNetworkIteration == otherInfo.outputNetworkIteration);
  BOOST_TEST_REQUIRE(info.trainingHistory.size() == otherInfo.trainingHistory.size());
  for (std::size_t i = 0; i < info.trainingHistory.size(); ++i) {
    const TrainingHistoryRow &a = info.trainingHistory[i], &b = otherInfo.trainingHistory[i];
    BOOST_TEST((a.epoch == b.epoch && a.iteration == b.iteration && a.learnRate == b.learnRate &&
                a.trainingLoss == b.trainingLoss && a.metrics == b.metrics),
               "row " << i);
  }
  BOOST_TEST_REQUIRE(info.validationHistory.size() == otherInfo.validationHistory.size());
  for (std::size_t i = 0; i < info.validationHistory.size(); ++i)
    BOOST_TEST(info.validationHistory[i].validationLoss == otherInfo.validationHistory[i].validationLoss);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_killed_training_goes_on_bit_for_bit) {
  const Folder folder;
  const Case c{"adam", "every-epoch", true};
  const pid_t child = fork();
  BOOST_TEST_REQUIRE(child >= 0);
  if (child == 0) {
    TrainingOptions options = optionsOf(c);
    options.checkpointPath = folder / "";
    options.checkpointFrequencyUnit = "iteration";
    // Past the 21st iteration it waits for its end, in the middle of an epoch.
    options.outputFcn = [](const TrainingProgressInfo& info) {
      if (info.iteration > 21) pause();
    };
    train(options);
    _exit(0);
  }
  while (access(checkpoint(folder, 21).c_str(), F_OK) != 0 && waitpid(child, nullptr, WNOHANG) == 0) usleep(1000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  BOOST_TEST_REQUIRE(access(checkpoint(folder, 21).c_str(), F_OK) == 0);
  const auto whole = train(optionsOf(c));
  BOOST_TEST(std::get<1>(whole).trainingHistory.size() == 48U);
  for (const Index from : {Index{21}, Index{8}}) {
    TrainingOptions options = optionsOf(c);
    options.resumeFrom = checkpoint(folder, from);
    compare(whole, train(options));
  }
  // A checkpoint is a network like any other.
  BOOST_TEST(loadNetwork(checkpoint(folder, 21)).learnables().size() == std::get<0>(whole).learnables().size());
}

BOOST_AUTO_TEST_CASE(every_solver_and_order_goes_on) {
  for (const Case c : {Case{"sgdm", "once", false}, Case{"rmsprop", "never", false}, Case{"adamw", "once", true}}) {
    const Folder folder;
    TrainingOptions options = optionsOf(c);
    options.checkpointPath = folder / "";
    options.checkpointFrequency = 5;
    options.checkpointFrequencyUnit = "iteration";
    const auto whole = train(options);
    for (const Index from : {Index{5}, Index{20}, Index{40}}) {
      TrainingOptions rest = optionsOf(c);
      rest.resumeFrom = checkpoint(folder, from);
      compare(whole, train(rest));
    }
  }
}

BOOST_AUTO_TEST_CASE(checkpoints_at_epochs_and_longer_trainings) {
  const Folder folder;
  const Case c{"adam", "once", false};
  TrainingOptions shorter = optionsOf(c);
  shorter.maxEpochs = 2;
  shorter.checkpointPath = folder / "";
  train(shorter);
  BOOST_TEST(folder.names().size() == 2U);
  TrainingOptions rest = optionsOf(c);
  rest.resumeFrom = checkpoint(folder, 16);
  compare(train(optionsOf(c)), train(rest));
}

BOOST_AUTO_TEST_CASE(lbfgs_goes_on_bit_for_bit) {
  const Folder folder;
  rng(8);
  const DlArray X = randn(60, 4), T = X * randn(4, 2) + 0.1 * randn(60, 2);
  const auto run = [&](TrainingOptions options) {
    rng(9);
    return trainnet<2>(X, T, {featureInputLayer(4), fullyConnectedLayer(8), tanhLayer(), fullyConnectedLayer(2)}, "mse", options);
  };
  TrainingOptions options = trainingOptions("lbfgs", {.verbose = false, .maxIterations = 30});
  const auto whole = run(options);
  TrainingOptions writing = options;
  writing.checkpointPath = folder / "";
  writing.checkpointFrequency = 6;
  compare(whole, run(writing));
  for (const Index from : {Index{6}, Index{12}, Index{30}}) {
    TrainingOptions rest = options;
    rest.resumeFrom = checkpoint(folder, from);
    const auto parts = run(rest);
    compare(whole, parts);
    BOOST_TEST(std::get<1>(parts).stopReason == std::get<1>(whole).stopReason);
  }
  TrainingOptions other = options;
  other.historySize = 3;
  other.resumeFrom = checkpoint(folder, 12);
  BOOST_TEST(mistake([&] { run(other); }).sentence.find(" has historySize 10, this one 3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_networks_and_rates_are_refused) {
  const Folder folder;
  TrainingOptions options = optionsOf({"adam", "once", false});
  options.maxEpochs = 1;
  options.checkpointPath = folder / "";
  train(options);
  TrainingOptions rest = optionsOf({"adam", "once", false});
  rest.resumeFrom = checkpoint(folder, 8);
  rng(5);
  const DlArray X = randn(130, 4), T = randi(3, Size{130, 1}) - 1;
  const std::string said = mistake([&] {
                             trainnet(X, T, {featureInputLayer(4), fullyConnectedLayer(3), softmaxLayer()}, "crossentropy", rest);
                           }).sentence;
  BOOST_TEST(said.find(" is of another network: it has 7 layers, this one 3") != std::string::npos, said);
  rest.initialLearnRate = 0.5;
  const std::string rate = mistake([&] { train(rest); }).sentence;
  BOOST_TEST(rate.find(" has initialLearnRate 0.001, this one 0.5; resume with the same") != std::string::npos, rate);
}

BOOST_AUTO_TEST_CASE(other_trainings_are_refused) {
  const Folder folder;
  TrainingOptions options = optionsOf({"adam", "once", false});
  options.maxEpochs = 1;
  options.checkpointPath = folder / "";
  const DlNetwork net = std::get<0>(train(options));
  TrainingOptions rest = optionsOf({"sgdm", "once", false});
  rest.resumeFrom = checkpoint(folder, 8);
  const std::string said = mistake([&] { train(rest); }).sentence;
  BOOST_TEST(said.find(" has solver adam, this one sgdm; resume with the same") != std::string::npos, said);
  save(net, folder / "plain.dlnet");
  rest.resumeFrom = folder / "plain.dlnet";
  BOOST_TEST(mistake([&] { train(rest); }).sentence.find("is no checkpoint of a training") != std::string::npos);
  rest.resumeFrom = folder / "missing.dlnet";
  BOOST_TEST(mistake([&] { train(rest); }).sentence.starts_with("trainnet: "));
}
