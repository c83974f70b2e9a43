#pragma once
// Fashion-MNIST, 70000 pictures of clothes in ten classes, as Debian's package dataset-fashion-mnist installs it.
#include <dlarray/dlarray.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

struct Fashion {
  dl::DlArray trainX, trainT, testX, testT;  // pictures 28 x 28 x 1 x n from 0 to 1, classes 1 x n from 0 to 9
};

inline Fashion fashion(dl::Index trainCount = 60000, dl::Index testCount = 10000) {
  using namespace dl;
  const char* elsewhere = std::getenv("FASHION_MNIST");
  const std::string folder = elsewhere ? elsewhere : "/usr/share/datasets/fashion-mnist";
  const auto pictures = [&](const char* name, Index count) {
    const DlArray all = readIdx(folder + "/" + name) / 255;
    count = std::min(count, size(all, 2));
    return reshape(all(dl::all, dl::all, span(0, count - 1)), Size{28, 28, 1, count});
  };
  const auto classes = [&](const char* name, Index count) {
    const DlArray all = readIdx(folder + "/" + name);
    return reshape(all(span(0, std::min(count, numel(all)) - 1)), Size{1, std::min(count, numel(all))});
  };
  return {pictures("train-images-idx3-ubyte.gz", trainCount), classes("train-labels-idx1-ubyte.gz", trainCount),
          pictures("t10k-images-idx3-ubyte.gz", testCount), classes("t10k-labels-idx1-ubyte.gz", testCount)};
}

/// Mini-batches of pictures and classes, the classes one-hot.
inline dl::MiniBatchQueue batches(const dl::DlArray& X, const dl::DlArray& T, dl::Index size = 128, bool whole = true) {
  return minibatchqueue(combine(arrayDatastore(X, {.iterationDimension = 3}), arrayDatastore(T, {.iterationDimension = 1})),
                        {.miniBatchSize = size, .partialMiniBatch = whole ? "discard" : "return", .preprocessingEnvironment = "background",
                         .miniBatchFormat = {"SSCB", "CB"}, .oneHot = {0, 10}});
}

/// The percentage of pictures whose most probable class is theirs.
inline double accuracy(const dl::DlNetwork& net, const dl::DlArray& X, const dl::DlArray& T) {
  using namespace dl;
  double right = 0;
  for (Index from = 0, count = numel(T); from < count; from += 500) {
    const Index to = std::min(from + 500, count) - 1;
    const DlArray Y = predict(net, dlarray(X(all, all, all, span(from, to)), "SSCB"));
    right += double(sum(std::get<1>(max<2>(Y, {}, "C")) == dlarray(T(all, span(from, to)), "CB"), "all"));
  }
  return 100 * right / double(numel(T));
}
