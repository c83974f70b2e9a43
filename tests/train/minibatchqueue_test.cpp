// Mini-batches: their layout, the same ones for every number of threads, failures, and early ends.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

using Numbers = std::vector<double>;
Numbers numbers(const DlArray& x) { return extractdata<Numbers>(x); }
const std::vector<Index> threadCounts{0, 1, 2, 4};

std::vector<std::vector<DlArray>> allBatches(MiniBatchQueue& mbq) {
  std::vector<std::vector<DlArray>> batches;
  while (hasdata(mbq)) batches.push_back(mbq.next());
  return batches;
}

bool same(const std::vector<std::vector<DlArray>>& a, const std::vector<std::vector<DlArray>>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return std::ranges::equal(x, y, [](const DlArray& p, const DlArray& q) { return isequaln(p, q) && dims(p) == dims(q); });
  });
}

std::vector<DlArray> unchanged(std::vector<DlArray> x) { return x; }

// 13 pictures of 4 x 3 x 2 and their classes.
const DlArray pictures = reshape(colon(0, 4 * 3 * 2 * 13 - 1), Size{4, 3, 2, 13});
const DlArray classes = rem(colon(0, 12), 3);
Datastore data() {
  return combine(arrayDatastore(pictures, {.iterationDimension = 3}), arrayDatastore(classes, {.iterationDimension = 1}));
}

}  // namespace

BOOST_AUTO_TEST_CASE(pictures_and_one_hot_classes) {
  // The same in memory, and read one by one.
  for (const Datastore& ds : {data(), transform(data(), unchanged)}) {
    MiniBatchQueue mbq = minibatchqueue(ds, {.miniBatchSize = 5, .miniBatchFormat = {"SSCB", "CB"}, .oneHot = {0, 3}});
    BOOST_TEST(mbq.numMiniBatches() == 3);
    Index first = 0;
    while (hasdata(mbq)) {
      auto [X, T] = next<2>(mbq);
      const Index n = std::min<Index>(5, 13 - first);
      BOOST_TEST(dims(X) == "SSCB");
      BOOST_TEST(bool(size(X) == Size{4, 3, 2, n}));
      BOOST_TEST(bool(underlyingType(X) == Type::Single));
      BOOST_TEST(isequal(stripdims(X), single_(pictures(all, all, all, span(first, first + n - 1)))));
      BOOST_TEST(dims(T) == "CB");
      BOOST_TEST(bool(size(T) == Size{3, n}));
      for (Index k = 0; k < n; ++k)
        for (Index c = 0; c < 3; ++c) BOOST_TEST(double(T(c, k)) == ((first + k) % 3 == c ? 1 : 0));
      first += n;
    }
    BOOST_TEST(first == 13);
  }
}

BOOST_AUTO_TEST_CASE(layouts) {
  const DlArray rows = reshape(colon(0, 11), Size{4, 3});          // 4 observations of 3 numbers
  const DlArray sequences = reshape(colon(0, 29), Size{2, 5, 3});  // 3 of 2 channels and 5 steps
  const auto batch = [](const DlArray& x, Index dimension, const std::string& format, bool slow) {
    Datastore ds = arrayDatastore(x, {.iterationDimension = dimension});
    if (slow) ds = transform(ds, unchanged);
    MiniBatchQueue mbq = minibatchqueue(ds, {.outputCast = {"double"}, .miniBatchFormat = {format}});
    return next(mbq);
  };
  for (const bool slow : {false, true}) {
    BOOST_TEST(isequal(batch(rows, 0, "", slow), rows));
    BOOST_TEST(isequal(batch(rows, 0, "BC", slow), dlarray(rows, "BC")));
    BOOST_TEST(dims(batch(rows, 0, "BC", slow)) == "CB");
    BOOST_TEST(isequal(batch(rows, 1, "CB", slow), dlarray(rows, "CB")));
    BOOST_TEST(isequal(batch(rows, 1, "", slow), rows));
    BOOST_TEST(isequal(batch(sequences, 2, "CTB", slow), dlarray(sequences, "CTB")));
    BOOST_TEST(isequal(batch(sequences, 2, "CBT", slow), dlarray(permute(sequences, {0, 2, 1}), "CBT")));
    BOOST_TEST(isequal(batch(sequences, 2, "", slow), sequences));
    BOOST_TEST(isequal(batch(sequences, 0, "", slow), sequences));
    BOOST_TEST(isequal(batch(sequences, 1, "CBT", slow), dlarray(sequences, "CBT")));
    BOOST_TEST(isequal(batch(colon(0, 6), 1, "", slow), transpose(colon(0, 6))));
    BOOST_TEST(isequal(batch(colon(0, 6), 1, "CB", slow), dlarray(colon(0, 6), "CB")));
    BOOST_TEST(bool(numbers(batch(colon(0, 6), 1, "B", slow)) == numbers(colon(0, 6))));
    const auto wrong = mistake([&] { batch(rows, 0, "CB", slow); });
    BOOST_TEST(wrong.identifier == "dlarray:minibatchqueue:format");
    BOOST_TEST(
        wrong.sentence.starts_with("next: observations are 1 x 3: format \"CB\" needs size 1 in the place of B, or one "
                                   "dimension fewer than it has letters"));
  }
}

BOOST_AUTO_TEST_CASE(casts_labels_and_outputs) {
  MiniBatchQueue mbq =
      minibatchqueue(data(), {.outputCast = {"logical", "double"}, .outputAsDlarray = {false}, .miniBatchFormat = {"SSCB"}});
  auto [X, T] = next<2>(mbq);
  BOOST_TEST(bool(underlyingType(X) == Type::Logical));
  BOOST_TEST(dims(X) == "");
  BOOST_TEST(isequal(X, pictures > 0));
  BOOST_TEST(bool(underlyingType(T) == Type::Double));
  BOOST_TEST(isequal(T, transpose(classes)));
  MiniBatchQueue one = minibatchqueue(data(), 1, {});
  BOOST_TEST(one.next().size() == 1U);
  MiniBatchQueue three = minibatchqueue(data(), 3, {});
  BOOST_TEST(mistake([&] { three.next(); }).sentence.starts_with("next: the queue has 3 outputs, the mini-batch 2 arrays"));
  BOOST_TEST(!hasdata(three));
}

BOOST_AUTO_TEST_CASE(short_last_batches) {
  MiniBatchQueue whole = minibatchqueue(data(), {.miniBatchSize = 4, .partialMiniBatch = "discard"});
  BOOST_TEST(allBatches(whole).size() == 3U);
  MiniBatchQueue none = minibatchqueue(data(), {.partialMiniBatch = "discard"});
  BOOST_TEST(!hasdata(none));
  MiniBatchQueue empty = minibatchqueue(Datastore());
  BOOST_TEST(!hasdata(empty));
  const auto ended = mistake([&] { next(empty); });
  BOOST_TEST(ended.sentence.starts_with(
      "next: all 0 mini-batches were taken; reset or shuffle the queue to begin again (minibatchqueue_test"));
}

BOOST_AUTO_TEST_CASE(a_function_makes_the_batch) {
  const auto flat = [](const MiniBatchFunction::Observations& o) {
    DlArray sum = 0;
    for (const DlArray& x : o[0]) sum = sum + x;
    return std::vector<DlArray>{sum, DlArray(static_cast<double>(o[1].size()))};
  };
  MiniBatchQueue mbq = minibatchqueue(data(), {.miniBatchSize = 4, .miniBatchFcn = flat, .miniBatchFormat = {"SSC"}});
  auto [X, n] = next<2>(mbq);
  BOOST_TEST(dims(X) == "SSC");
  BOOST_TEST(bool(underlyingType(X) == Type::Single));
  BOOST_TEST(isequal(stripdims(X), single_(sum(pictures(all, all, all, span(0, 3)), 3))));
  BOOST_TEST(double(n) == 4);
}

BOOST_AUTO_TEST_CASE(the_same_batches_for_every_number_of_threads) {
  const Datastore noisy = transform(data(), [](std::vector<DlArray> x) {
    x[0] = x[0] + randn(size(x[0]));
    return x;
  });
  for (const Datastore& ds : {data(), noisy}) {
    std::vector<std::vector<DlArray>> expected[3];
    for (const Index threads : threadCounts) {
      for (const Index prefetch : {Index{-1}, Index{1}, Index{3}}) {
        rng(11);
        MiniBatchQueue mbq = minibatchqueue(ds, {.miniBatchSize = 2, .numThreads = threads, .prefetch = prefetch});
        std::vector<std::vector<DlArray>> got[3];
        got[0] = allBatches(mbq);
        shuffle(mbq);
        got[1] = allBatches(mbq);
        reset(mbq);
        got[2] = allBatches(mbq);
        for (int k = 0; k < 3; ++k) {
          if (expected[k].empty()) expected[k] = got[k];
          BOOST_TEST(expected[k].size() == 7U);
          BOOST_TEST(same(got[k], expected[k]), threads << " threads, prefetch " << prefetch << ", pass " << k);
        }
      }
    }
    BOOST_TEST(!same(expected[0], expected[1]));
  }
}

BOOST_AUTO_TEST_CASE(passes_draw_new_numbers_and_leave_the_generator_alone) {
  const Datastore noise = transform(data(), [](std::vector<DlArray>) { return std::vector<DlArray>{dl::rand()}; });
  rng(3);
  MiniBatchQueue mbq = minibatchqueue(noise, {.miniBatchSize = 2});
  const RandomState before = rng();
  const auto first = allBatches(mbq);
  BOOST_TEST(bool(rng() == before));
  reset(mbq);
  BOOST_TEST(!same(first, allBatches(mbq)));
  BOOST_TEST(!isequal(first[0][0], first[1][0]));
}

BOOST_AUTO_TEST_CASE(shuffles_follow_the_seed) {
  const auto order = [](MiniBatchQueue& mbq) {
    Numbers seen;
    while (hasdata(mbq))
      for (const double v : numbers(next(mbq))) seen.push_back(v);
    return seen;
  };
  Numbers first;
  for (const Index threads : threadCounts) {
    rng(5);
    MiniBatchQueue mbq =
        minibatchqueue(arrayDatastore(colon(0, 99), {.iterationDimension = 1}), {.miniBatchSize = 8, .numThreads = threads});
    shuffle(mbq);
    next(mbq);  // a pass that is given up
    shuffle(mbq);
    const Numbers seen = order(mbq);
    if (first.empty()) first = seen;
    BOOST_TEST(bool(seen == first));
    Numbers sorted = seen;
    std::ranges::sort(sorted);
    BOOST_TEST(bool(sorted == numbers(colon(0, 99))));
    BOOST_TEST(bool(sorted != seen));
    reset(mbq);
    BOOST_TEST(bool(order(mbq) == seen));
  }
}

BOOST_AUTO_TEST_CASE(failures_are_told_where_they_belong) {
  struct Faulty : DatastoreSource {
    Index size() const override { return 10; }
    std::vector<DlArray> read(Index i) const override {
      if (i == 3) throw Error("test:broken", "file.png is broken");
      if (i == 6) throw std::runtime_error("plain");
      if (i == 9) throw 42;
      return {DlArray(i)};
    }
  };
  for (const Index threads : threadCounts) {
    MiniBatchQueue mbq = minibatchqueue(Faulty(), {.miniBatchSize = 2, .numThreads = threads});
    for (int pass = 0; pass < 2; ++pass) {
      BOOST_TEST(bool(numbers(next(mbq)) == Numbers{0, 1}));
      const auto broken = mistake([&] { next(mbq); });
      BOOST_TEST(broken.identifier == "test:broken");
      BOOST_TEST(broken.sentence.starts_with("next: observation 3: file.png is broken (minibatchqueue_test.cpp:"));
      BOOST_TEST(bool(numbers(next(mbq)) == Numbers{4, 5}));
      const auto plain = mistake([&] { next(mbq); });
      BOOST_TEST(plain.identifier == "dlarray:next:read");
      BOOST_TEST(plain.sentence.starts_with("next: observation 6: plain"));
      BOOST_CHECK_THROW(next(mbq), int);
      BOOST_TEST(!hasdata(mbq));
      reset(mbq);
    }
  }
}

BOOST_AUTO_TEST_CASE(failures_of_collation) {
  const Datastore uneven = transform(arrayDatastore(colon(0, 3), {.iterationDimension = 1}), [](std::vector<DlArray> x) {
    return std::vector<DlArray>{ones(Size{2, static_cast<Index>(double(x[0])) + 1})};
  });
  MiniBatchQueue mbq = minibatchqueue(uneven);
  const auto sizes = mistake([&] { next(mbq); });
  BOOST_TEST(sizes.sentence.starts_with(
      "next: observation 1 is 2 x 2, observation 0 is 2 x 1; pad them with padsequences in miniBatchFcn"));
  MiniBatchQueue few =
      minibatchqueue(arrayDatastore(colon(0, 3), {.iterationDimension = 1}), {.miniBatchFormat = {"CB"}, .oneHot = {3}});
  const auto classOf = mistake([&] { next(few); });
  BOOST_TEST(classOf.sentence.starts_with("next: observation 3 has class 3, which is not one of the classes 0 to 2 of oneHot"));
  MiniBatchQueue failing = minibatchqueue(
      data(), {.miniBatchSize = 5, .miniBatchFcn = [](const MiniBatchFunction::Observations&) -> std::vector<DlArray> {
                 throw Error("test:fcn", "no");
               }});
  BOOST_TEST(mistake([&] { next(failing); }).sentence.starts_with("next: mini-batch 0, observations 0 to 4: no"));
}

BOOST_AUTO_TEST_CASE(wrong_options) {
  const auto said = [](MiniBatchQueueOptions options) { return mistake([&] { minibatchqueue(data(), options); }).identifier; };
  BOOST_TEST(said({.miniBatchSize = 0}) == "dlarray:minibatchqueue:miniBatchSize");
  BOOST_TEST(said({.partialMiniBatch = "keep"}) == "dlarray:minibatchqueue:partialMiniBatch");
  BOOST_TEST(said({.miniBatchFcn = "stack"}) == "dlarray:minibatchqueue:miniBatchFcn");
  BOOST_TEST(said({.preprocessingEnvironment = "cloud"}) == "dlarray:minibatchqueue:environment");
  BOOST_TEST(said({.outputCast = {"uint8"}}) == "dlarray:minibatchqueue:outputCast");
  BOOST_TEST(said({.miniBatchFormat = {"SSXB"}}) != "nothing");
  BOOST_TEST(said({.miniBatchFormat = {"SSB"}, .oneHot = {3}}) == "dlarray:minibatchqueue:oneHot");
  BOOST_TEST(said({.numThreads = -2}) == "dlarray:minibatchqueue:numThreads");
  BOOST_TEST(said({.prefetch = 0}) == "dlarray:minibatchqueue:prefetch");
  BOOST_TEST(said({.preprocessingEnvironment = "background"}) == "nothing");
}

BOOST_AUTO_TEST_CASE(few_batches_are_read_ahead) {
  struct Counted : DatastoreSource {
    std::shared_ptr<std::atomic<Index>> reads = std::make_shared<std::atomic<Index>>(0);
    Index size() const override { return 1000; }
    std::vector<DlArray> read(Index i) const override {
      ++*reads;
      return {DlArray(i)};
    }
  };
  const Counted source;
  MiniBatchQueue mbq = minibatchqueue(source, {.miniBatchSize = 10, .numThreads = 4, .prefetch = 3});
  BOOST_TEST(source.reads->load() == 0);
  next(mbq);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  BOOST_TEST(source.reads->load() <= 40);
  BOOST_TEST(bool(numbers(next(mbq)) == numbers(colon(10, 19))));
}

BOOST_AUTO_TEST_CASE(queues_end_early_and_move) {
  struct Slow : DatastoreSource {
    Index size() const override { return 100000; }
    std::vector<DlArray> read(Index i) const override {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return {DlArray(i)};
    }
  };
  // Without an early end these batches would take minutes.
  const auto begin = std::chrono::steady_clock::now();
  for (int k = 0; k < 3; ++k) {
    MiniBatchQueue first = minibatchqueue(Slow(), {.miniBatchSize = 5, .numThreads = 2});
    next(first);
    MiniBatchQueue second = minibatchqueue(Slow(), {.miniBatchSize = 50000, .numThreads = 2});
    MiniBatchQueue third = std::move(first);
    BOOST_TEST(!hasdata(first));
    // A queue that was moved away has nothing, and says so.
    BOOST_TEST(first.options().miniBatchSize == 128);
    BOOST_TEST(first.datastore().size() == 0);
    BOOST_TEST(partition(first, 2, 0).numobservations() == 0);
    BOOST_TEST(mistake([&] { next(first); }).identifier == "dlarray:next:end");
    BOOST_TEST(bool(numbers(next(third)) == numbers(colon(5, 9))));
    second = std::move(third);
    BOOST_TEST(bool(numbers(next(second)) == numbers(colon(10, 14))));
    reset(second);
    BOOST_TEST(bool(numbers(next(second)) == numbers(colon(0, 4))));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(30)));
}

BOOST_AUTO_TEST_CASE(parts_of_a_queue) {
  MiniBatchQueue mbq = minibatchqueue(data(), 1, {.miniBatchSize = 3, .miniBatchFormat = {"SSCB"}});
  MiniBatchQueue part = partition(mbq, 2, 1);
  BOOST_TEST(part.numobservations() == 6);
  BOOST_TEST(isequal(stripdims(next(part)), single_(pictures(all, all, all, span(7, 9)))));
}

BOOST_AUTO_TEST_CASE(sequences_are_padded) {
  const std::vector<DlArray> c{dlarray({{1, 2, 3}, {4, 5, 6}}), dlarray({{7}, {8}}), dlarray({{9, 10}, {11, 12}})};
  auto [x, mask] = padsequences<2>(c, 1);
  BOOST_TEST(bool(size(x) == Size{2, 3, 3}));
  BOOST_TEST(bool(numbers(x) == Numbers{1, 4, 2, 5, 3, 6, 7, 8, 0, 0, 0, 0, 9, 11, 10, 12, 0, 0}));
  BOOST_TEST(bool(underlyingType(mask) == Type::Logical));
  BOOST_TEST(bool(numbers(mask) == Numbers{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0}));
  BOOST_TEST(bool(numbers(padsequences(c, 1, {.length = "shortest"})) == Numbers{1, 4, 7, 8, 9, 11}));
  BOOST_TEST(bool(numbers(padsequences(c, 1, {.length = "shortest", .direction = "left"})) == Numbers{3, 6, 7, 8, 10, 12}));
  BOOST_TEST(bool(numbers(padsequences(c, 1, {.length = 2, .direction = "left", .paddingValue = -1})) ==
                  Numbers{2, 5, 3, 6, -1, -1, 7, 8, 9, 11, 10, 12}));
  BOOST_TEST(bool(numbers(padsequences(c, 1, {.length = 4, .direction = "both"})) ==
                  Numbers{1, 4, 2, 5, 3, 6, 0, 0, 0, 0, 7, 8, 0, 0, 0, 0, 0, 0, 9, 11, 10, 12, 0, 0}));
  BOOST_TEST(
      mistake([&] { padsequences(c, 0); })
          .sentence.starts_with(
              "padsequences: sequence 1 is 2 x 1 double, the first is 2 x 3 double; they may differ in dimension 0 alone"));
  BOOST_TEST(mistake([&] { padsequences({}, 0); }).identifier == "dlarray:padsequences:empty");
  BOOST_TEST(mistake([&] { padsequences(c, 1, {.length = "middle"}); }).identifier == "dlarray:padsequences:length");
}
