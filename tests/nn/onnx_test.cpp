// Against numbers that others published: ONNX's operator tests, most of them computed by PyTorch, stored in onnx/values.txt by
// onnx/extract.py. Arrays there are row-major: the same numbers are our arrays with the dimensions in reverse.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

struct Case {
  std::string name, op;
  std::vector<std::string> operands;
  std::map<std::string, std::vector<double>> numbers;  // attributes
  std::map<std::string, DlArray> inputs;
  std::map<std::string, std::size_t> ranks;  // arrays forget last dimensions of size 1
  std::vector<DlArray> outputs;

  const DlArray& in(std::size_t i) const { return inputs.at(operands.at(i)); }
  bool has(std::size_t i) const { return i < operands.size() && operands[i] != "-"; }
  std::size_t spatial() const { return ranks.at(operands.at(0)) - 2; }
  // Images: spatial dimensions, channels, observations.
  DlArray image(std::size_t i) const { return dlarray(in(i), std::string(spatial(), 'S') + "CB"); }
  double number(const std::string& attribute, double otherwise) const {
    const auto found = numbers.find(attribute);
    return found == numbers.end() ? otherwise : found->second.at(0);
  }
  // A list with one number for each spatial dimension, in our order.
  std::vector<Index> list(const std::string& attribute, Index otherwise, std::size_t count) const {
    const auto found = numbers.find(attribute);
    if (found == numbers.end()) return std::vector<Index>(count, otherwise);
    return {found->second.rbegin(), found->second.rend()};
  }
  Padding pads(std::size_t count) const {
    const std::vector<Index> all = list("pads", 0, 2 * count);
    const auto half = all.begin() + static_cast<std::ptrdiff_t>(count);
    return {WindowSizes(std::vector<Index>(half, all.end())), WindowSizes(std::vector<Index>(all.begin(), half))};
  }
};

// Column-major with the dimensions in reverse.
DlArray readArray(std::istream& in, std::size_t count, std::istream& values) {
  std::vector<Index> sizes(count);
  for (Index& n : sizes) in >> n;
  std::reverse(sizes.begin(), sizes.end());
  while (sizes.size() < 2) sizes.push_back(1);
  std::vector<double> numbers;
  for (double v; values >> v;) numbers.push_back(v);
  return dlarray(numbers, Size(sizes));
}

std::vector<Case> cases() {
  std::ifstream file(std::filesystem::path(DLARRAY_SOURCE_DIR) / "tests/nn/onnx/values.txt");
  std::vector<Case> all;
  for (std::string line, numbers; std::getline(file, line);) {
    std::istringstream in(line);
    std::string word, name;
    in >> word >> name;
    if (word == "case") {
      all.push_back({name, {}, {}, {}, {}, {}, {}});
    } else if (word == "node" && all.back().op.empty()) {
      all.back().op = name;
      for (std::string operand; in >> operand;) all.back().operands.push_back(operand);
    } else if (word == "node" && (name == "AveragePool" || name == "MatMul")) {
      all.back().op = name;  // the one that counts among reshaping ones
    } else if (word == "attribute") {
      std::vector<double> values;
      for (double v; in >> v;) values.push_back(v);
      if (!values.empty()) all.back().numbers[name] = values;
    } else if (word == "input" || word == "output") {
      std::size_t count = 0;
      in >> count;
      std::getline(file, numbers);
      std::istringstream values(numbers);
      DlArray x = readArray(in, count, values);
      if (word == "input") {
        all.back().inputs[name] = std::move(x);
        all.back().ranks[name] = count;
      } else {
        all.back().outputs.push_back(std::move(x));
      }
    }
  }
  return all;
}

// Filters of several groups, one after the other, as a dimension of groups.
DlArray grouped(const DlArray& weights, Index groups) {
  if (groups == 1) return weights;
  const Size whole = size(weights);
  std::vector<Index> sizes(whole.begin(), whole.end());
  sizes.back() /= groups;
  sizes.push_back(groups);
  return reshape(weights, Size(sizes));
}

DlArray biasOf(const Case& c, std::size_t i) { return c.has(i) ? c.in(i) : DlArray(0.0); }

DlArray convolution(const Case& c) {
  const DlArray x = c.image(0);
  const std::size_t n = c.spatial();
  return dlconv(x, grouped(c.in(1), static_cast<Index>(c.number("group", 1))), biasOf(c, 2),
                {.stride = c.list("strides", 1, n), .dilationFactor = c.list("dilations", 1, n), .padding = c.pads(n)});
}

// ONNX's output padding is what is not cropped at the end.
DlArray transposedConvolution(const Case& c) {
  const std::size_t n = c.spatial();
  const Padding pads = c.pads(n);
  const std::vector<Index> more = c.list("output_padding", 0, n);
  std::vector<Index> starts, ends;
  for (std::size_t d = 0; d < n; ++d) {
    starts.push_back(pads.starts()[d]);
    ends.push_back(pads.ends()[d] - more[d]);
  }
  return dltranspconv(c.image(0), c.in(1), biasOf(c, 2),
                      {.stride = c.list("strides", 1, n),
                       .dilationFactor = c.list("dilations", 1, n),
                       .cropping = Padding(WindowSizes(starts), WindowSizes(ends))});
}

// One-dimensional ones come as images one wide.
DlArray averagePool(const Case& c) {
  DlArray x = c.inputs.at("0");
  const auto kernel = c.numbers.at("kernel_shape").size();
  if (kernel == 2 && ndims(x) == 3) x = reshape(x, Size{1, size(x, 0), size(x, 1), size(x, 2)});
  const DlArray y = avgpool(dlarray(x, std::string(kernel, 'S') + "CB"), WindowSizes(c.list("kernel_shape", 1, kernel)),
                            {.stride = c.list("strides", 1, kernel), .padding = c.pads(kernel)});
  return reshape(stripdims(y), size(c.outputs[0]));
}

DlArray maxPool(const Case& c) {
  const std::size_t n = c.spatial();
  return maxpool(c.image(0), WindowSizes(c.list("kernel_shape", 1, n)),
                 {.stride = c.list("strides", 1, n), .padding = c.pads(n)});
}

DlArray batchNormalization(const Case& c) {
  const BatchnormOptions options{.epsilon = c.number("epsilon", 1e-5)};
  const DlArray x = c.image(0);
  return c.number("training_mode", 0) == 1 ? batchnorm(x, c.in(2), c.in(1), options)
                                           : batchnorm(x, c.in(2), c.in(1), c.in(3), c.in(4), options);
}

// Rows of gates in another order: block i of the result is block order[i].
DlArray gates(const DlArray& rows, Index hidden, std::initializer_list<Index> order) {
  std::vector<DlArray> blocks;
  for (const Index k : order) blocks.push_back(rows(span(k * hidden, (k + 1) * hidden - 1), all));
  return cat(0, blocks);
}

// Weights of one direction, rows x columns.
DlArray rowsOf(const DlArray& w) { return transpose(reshape(w, Size{size(w, 0), size(w, 1)})); }

// The last hidden state; ONNX's gates are i o f c, and its biases of input and state are added.
DlArray lstmState(const Case& c) {
  const auto hidden = static_cast<Index>(c.number("hidden_size", 0));
  const auto order = {Index{0}, Index{2}, Index{3}, Index{1}};
  DlArray bias = zeros(4 * hidden, 1);
  if (c.has(3)) {
    const DlArray both = reshape(c.in(3), Size{4 * hidden, 2});
    bias = both(all, 0) + both(all, 1);
  }
  const DlArray zero = zeros(hidden, 1);
  const auto [y, h, cell] = lstm<3>(dlarray(c.in(0), "CBT"), zero, zero, gates(rowsOf(c.in(1)), hidden, order),
                                    gates(rowsOf(c.in(2)), hidden, order), gates(bias, hidden, order));
  return h;
}

// ONNX's gates are z r h; linear_before_reset = 0 resets before the product.
DlArray gruState(const Case& c) {
  const auto hidden = static_cast<Index>(c.number("hidden_size", 0));
  const auto order = {Index{1}, Index{0}, Index{2}};
  DlArray bias = zeros(3 * hidden, 1);
  if (c.has(3)) {
    const DlArray both = reshape(c.in(3), Size{3 * hidden, 2});
    bias = both(all, 0) + both(all, 1);
  }
  const auto [y, h] =
      gru<2>(dlarray(c.in(0), "CBT"), zeros(hidden, 1), gates(rowsOf(c.in(1)), hidden, order),
             gates(rowsOf(c.in(2)), hidden, order), gates(bias, hidden, order), {.resetGateMode = "before-multiplication"});
  return h;
}

DlArray maxUnpool(const Case& c) { return maxunpool(c.image(0), dlarray(c.in(1), "SSCB"), Size{4, 4, 1, 1}); }

// Of the logarithms of probabilities, unreduced.
DlArray negativeLogLikelihood(const Case& c) {
  const DlArray y = dlarray(exp(c.in(0)), "CB"), t = dlarray(reshape(c.in(1), 1, numel(c.in(1))), "CB");
  return indexcrossentropy(y, t, {.reduction = "none"});
}

DlArray softmaxCrossEntropy(const Case& c) {
  const DlArray y = softmax(dlarray(c.in(0), "CB")), t = dlarray(reshape(c.in(1), 1, numel(c.in(1))), "CB");
  if (numel(c.outputs[0]) == 1) return indexcrossentropy(y, t);
  return indexcrossentropy(y, t, {.reduction = "none"});
}

// Along the first of our dimensions, ONNX's last.
DlArray softMax(const Case& c) {
  const DlArray& x = c.in(0);
  std::vector<Index> order;
  const auto axis = static_cast<Index>(c.number("axis", -1));
  const Index d = axis < 0 ? -1 - axis : ndims(x) - 1 - axis;
  for (Index i = 0; i < ndims(x); ++i)
    if (i != d) order.push_back(i);
  order.insert(order.begin(), d);
  const DlArray front = permute(x, order);
  return ipermute(reshape(softmax(reshape(front, size(front, 0), -1), {.dataFormat = "CB"}), size(front)), order);
}

DlArray resize(const Case& c) {
  return dlresize(c.image(0), {.outputSize = {size(c.outputs[0], 0), size(c.outputs[0], 1)}, .method = "linear"});
}

const std::map<std::string, std::function<DlArray(const Case&)>>& operators() {
  static const std::map<std::string, std::function<DlArray(const Case&)>> all{
      {"Conv", convolution},
      {"ConvTranspose", transposedConvolution},
      {"AveragePool", averagePool},
      {"MaxPool", maxPool},
      {"BatchNormalization", batchNormalization},
      {"InstanceNormalization",
       [](const Case& c) { return instancenorm(c.image(0), c.in(2), c.in(1), {.epsilon = c.number("epsilon", 1e-5)}); }},
      {"LayerNormalization", [](const Case& c) { return layernorm(dlarray(c.in(0), "CB"), c.in(2), c.in(1)); }},
      {"LRN",
       [](const Case& c) {
         return crosschannelnorm(c.image(0), static_cast<Index>(c.number("size", 0)),
                                 {.alpha = c.number("alpha", 1e-4), .beta = c.number("beta", 0.75), .k = c.number("bias", 1)});
       }},
      {"Elu", [](const Case& c) { return elu(c.in(0), c.number("alpha", 1)); }},
      {"LeakyRelu", [](const Case& c) { return leakyrelu(c.in(0), c.number("alpha", 0.01)); }},
      {"Relu", [](const Case& c) { return relu(c.in(0)); }},
      {"Sigmoid", [](const Case& c) { return sigmoid(c.in(0)); }},
      {"Tanh", [](const Case& c) { return tanh(c.in(0)); }},
      {"Softplus", [](const Case& c) { return softplus(c.in(0)); }},
      {"Softmax", softMax},
      {"Gemm", [](const Case& c) { return fullyconnect(dlarray(c.in(0), "CB"), transpose(c.in(1)), c.in(2)); }},
      {"Gather", [](const Case& c) { return embed(dlarray(c.in(1), "TB"), c.in(0)); }},
      {"LSTM", lstmState},
      {"GRU", gruState},
      {"MaxUnpool", maxUnpool},
      {"NegativeLogLikelihoodLoss", negativeLogLikelihood},
      {"SoftmaxCrossEntropyLoss", softmaxCrossEntropy},
      {"Resize", resize},
  };
  return all;
}

// The largest difference, relative to the larger of 1 and the value; -1 when the sizes do not agree.
double difference(const DlArray& got, const DlArray& published) {
  if (numel(got) != numel(published)) return -1;
  const auto a = extractdata<std::vector<double>>(got), b = extractdata<std::vector<double>>(published);
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i])));
  return worst;
}

}  // namespace

BOOST_AUTO_TEST_CASE(published_numbers_come_out) {
  const std::vector<Case> all = cases();
  BOOST_TEST_REQUIRE(all.size() > 50U);
  for (const Case& c : all) {
    BOOST_TEST_CONTEXT(c.name) {
      BOOST_TEST_REQUIRE(operators().contains(c.op), c.op);
      const DlArray got = operators().at(c.op)(c);
      const double d = difference(got, c.outputs.at(0));
      BOOST_TEST(d >= 0, "the size is " << toString(size(got)) << ", not " << toString(size(c.outputs.at(0))));
      BOOST_TEST(d < 2e-5);
    }
  }
}
