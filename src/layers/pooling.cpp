#include <dlarray/layers/pooling.hpp>

#include "engine/fit.hpp"
#include "layers/registry.hpp"
#include "layers/support.hpp"

#include <dlarray/ops/linalg.hpp>

#include <algorithm>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

struct Kind {
  const char *type, *function, *stem;
  std::size_t dimensions;
  bool largest;
};
constexpr Kind max1d{"MaxPooling1dLayer", "maxPooling1dLayer", "maxpool1d", 1, true};
constexpr Kind max2d{"MaxPooling2dLayer", "maxPooling2dLayer", "maxpool", 2, true};
constexpr Kind max3d{"MaxPooling3dLayer", "maxPooling3dLayer", "maxpool3d", 3, true};
constexpr Kind average1d{"AveragePooling1dLayer", "averagePooling1dLayer", "avgpool1d", 1, false};
constexpr Kind average2d{"AveragePooling2dLayer", "averagePooling2dLayer", "avgpool2d", 2, false};
constexpr Kind average3d{"AveragePooling3dLayer", "averagePooling3dLayer", "avgpool3d", 3, false};
constexpr Kind globalMax1d{"GlobalMaxPooling1dLayer", "globalMaxPooling1dLayer", "globalmaxpool1d", 1, true};
constexpr Kind globalMax2d{"GlobalMaxPooling2dLayer", "globalMaxPooling2dLayer", "globalmaxpool2d", 2, true};
constexpr Kind globalMax3d{"GlobalMaxPooling3dLayer", "globalMaxPooling3dLayer", "globalmaxpool3d", 3, true};
constexpr Kind globalAverage1d{"GlobalAveragePooling1dLayer", "globalAveragePooling1dLayer", "globalavgpool1d", 1, false};
constexpr Kind globalAverage2d{"GlobalAveragePooling2dLayer", "globalAveragePooling2dLayer", "globalavgpool2d", 2, false};
constexpr Kind globalAverage3d{"GlobalAveragePooling3dLayer", "globalAveragePooling3dLayer", "globalavgpool3d", 3, false};

// The dimensions to pool over that a function would not take by itself: "T", "ST", "SST"; "" for all spatial ones.
std::string_view poolFormat(const Layer& layer, const Kind& kind, const DlArray& x) {
  constexpr std::string_view formats = "SST";
  return movesAlongTime(layer, Storage::shape(x), kind.dimensions) ? formats.substr(3 - kind.dimensions) : "";
}

// ---- windows -------------------------------------------------------------------------------------------------------------

struct PoolingLayer final : Layer {
  const Kind* kind;
  WindowSizes poolSize = 1, stride = 1;
  Padding padding = 0;
  PoolPaddingValue paddingValue = 0;
  bool hasUnpoolingOutputs = false;

  explicit PoolingLayer(const Kind& k) : kind(&k) {}
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  std::vector<std::string> outputNames() const override {
    if (hasUnpoolingOutputs) return {"out", "indices", "size"};
    return {"out"};
  }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    movesAlongTime(*this, shapesOf(*this, data)[0], kind->dimensions);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    const DlArray& x = X[0];
    const std::string_view over = poolFormat(*this, *kind, x);
    return inside(*this, [&]() -> std::vector<DlArray> {
      if (!kind->largest)
        return {avgpool(x, poolSize, {.poolFormat = over, .stride = stride, .padding = padding, .paddingValue = paddingValue})};
      const MaxpoolOptions how{.poolFormat = over, .stride = stride, .padding = padding};
      if (!hasUnpoolingOutputs) return {maxpool(x, poolSize, how)};
      auto [y, positions, sizes] = maxpool<3>(x, poolSize, how);
      const std::vector<double> numbers(sizes.begin(), sizes.end());
      return {std::move(y), std::move(positions), dlarray(numbers, Size::matrix(1, static_cast<Index>(numbers.size())))};
    });
  }
  void options(OptionVisitor& visit) override {
    visit("poolSize", poolSize);
    visit("stride", stride);
    visit("padding", padding);
    if (!kind->largest) visit("paddingValue", paddingValue);
    if (kind == &max2d) visit("hasUnpoolingOutputs", hasUnpoolingOutputs);
  }
};

template <class Options>
PoolingLayer layerOf(const Kind& kind, const WindowSizes& poolSize, const Options& o, const std::source_location& where) {
  checkWindow(poolSize, kind.dimensions, kind.function, "pool size", where);
  checkWindow(o.stride, kind.dimensions, kind.function, "stride", where);
  if (!o.padding.word().empty() && o.padding.word() != "same")
    fail(where, "layer:word", "{}: the padding is \"{}\", neither \"same\" nor numbers", kind.function, o.padding.word());
  PoolingLayer layer(kind);
  layer.name = o.name;
  layer.poolSize = poolSize;
  layer.stride = o.stride;
  layer.padding = sidesOf(o.padding, kind.dimensions, kind.function, "padding", where);
  return layer;
}

PoolingLayer average(const Kind& kind, const WindowSizes& poolSize, const AveragePooling2dLayerOptions& o,
                     const std::source_location& where) {
  PoolingLayer layer = layerOf(kind, poolSize, o, where);
  if (o.paddingValue.word().empty() ? o.paddingValue.number() != 0 : o.paddingValue.word() != "mean")
    fail(where, "layer:word", "{}: the padding value is {}, neither 0 nor \"mean\"", kind.function,
         o.paddingValue.word().empty() ? fmt::format("{}", o.paddingValue.number()) : "\"" + o.paddingValue.word() + "\"");
  layer.paddingValue = o.paddingValue;
  return layer;
}

// ---- whole dimensions ----------------------------------------------------------------------------------------------------

// Without its T, which has one element.
DlArray withoutTime(const DlArray& y) {
  const Shape& shape = Storage::shape(y);
  Shape left;
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] != Format::T) {
      left.format.set(left.size.size(), shape.format[d]);
      left.size.push_back(shape.size[d]);
    }
  for (; left.size.size() < 2; left.size.push_back(1)) left.format.set(left.size.size(), Format::U);
  return engine::reshapeTo(y, left);
}

struct GlobalPoolingLayer final : Layer {
  const Kind* kind;

  explicit GlobalPoolingLayer(const Kind& k, std::string called = {}) : kind(&k) { name = std::move(called); }
  std::string type() const override { return kind->type; }
  std::string stem() const override { return kind->stem; }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    movesAlongTime(*this, shapesOf(*this, data)[0], kind->dimensions);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    const std::string_view over = poolFormat(*this, *kind, X[0]);
    return {inside(*this, [&] {
      DlArray y = kind->largest ? maxpool(X[0], "global", {.poolFormat = over}) : avgpool(X[0], "global", {.poolFormat = over});
      return over.empty() ? y : withoutTime(y);
    })};
  }
};

// ---- windows by the size of the result ---------------------------------------------------------------------------------

// Row i takes the mean of the elements from floor(i n / m) to before ceil((i + 1) n / m).
DlArray meansOf(Index n, Index m, Type type) {
  std::vector<double> matrix(static_cast<std::size_t>(n * m));
  for (Index i = 0; i < m; ++i) {
    const Index first = i * n / m, behind = ((i + 1) * n + m - 1) / m;
    for (Index j = first; j < behind; ++j)
      matrix[static_cast<std::size_t>(i + j * m)] = 1.0 / static_cast<double>(behind - first);
  }
  return cast(dlarray(matrix, Size::matrix(m, n)), type);
}

struct AdaptiveAveragePoolingLayer final : Layer {
  WindowSizes outputSize = 1;

  std::string type() const override { return "AdaptiveAveragePooling2dLayer"; }
  std::string stem() const override { return "adaptiveavgpool2d"; }
  void checkData(const Shape& data) const {
    if (countOf(data, Format::S) != 2)
      fail(noPlace, "layer:data", "{}: the input is {}; the layer needs 2 spatial dimensions, S", called(*this), toString(data));
  }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override { checkData(shapesOf(*this, data)[0]); }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    const Shape& shape = Storage::shape(X[0]);
    checkData(shape);
    const Index height = shape.size[0], width = shape.size[1], rows = outputSize[0], columns = outputSize[1];
    return {inside(*this, [&] {
      if (height > 0 && width > 0 && height % rows == 0 && width % columns == 0) {
        const WindowSizes window{height / rows, width / columns};
        return avgpool(X[0], window, {.stride = window});
      }
      // A window is a product of two ranges, so its mean is one of means.
      Shape result = shape;
      result.size[0] = rows;
      result.size[1] = columns;
      const Type type = underlyingType(X[0]) == Type::Single ? Type::Single : Type::Double;
      const DlArray tall = meansOf(height, rows, type), wide = transpose(meansOf(width, columns, type));
      return engine::reshapeTo(pagemtimes(pagemtimes(tall, reshape(X[0], height, width, -1)), wide), result);
    })};
  }
  void options(OptionVisitor& visit) override { visit("outputSize", outputSize); }
};

// ---- back ----------------------------------------------------------------------------------------------------------------

struct MaxUnpoolingLayer final : Layer {
  std::string type() const override { return "MaxUnpooling2dLayer"; }
  std::string stem() const override { return "maxunpool"; }
  std::vector<std::string> inputNames() const override { return {"in", "indices", "size"}; }
  void checkData(const Shape& data) const {
    if (countOf(data, Format::S) != 2)
      fail(noPlace, "layer:data", "{}: the input is {}; the layer needs 2 spatial dimensions, S", called(*this), toString(data));
  }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override { checkData(shapesOf(*this, data, 3)[0]); }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 3);
    checkData(Storage::shape(X[0]));
    return {inside(*this, [&] {
      Size sizes;
      for (const double n : extractdata<std::vector<double>>(X[2])) sizes.push_back(static_cast<Index>(n));
      return maxunpool(X[0], X[1], sizes);
    })};
  }
};

}  // namespace

AnyLayer maxPooling1dLayer(const WindowSizes& poolSize, const MaxPooling1dLayerOptions& options, std::source_location where) {
  return layerOf(max1d, poolSize, options, where);
}
AnyLayer maxPooling2dLayer(const WindowSizes& poolSize, const MaxPooling2dLayerOptions& options, std::source_location where) {
  PoolingLayer layer = layerOf(max2d, poolSize, options, where);
  layer.hasUnpoolingOutputs = options.hasUnpoolingOutputs;
  return layer;
}
AnyLayer maxPooling3dLayer(const WindowSizes& poolSize, const MaxPooling3dLayerOptions& options, std::source_location where) {
  return layerOf(max3d, poolSize, options, where);
}
AnyLayer averagePooling1dLayer(const WindowSizes& poolSize, const AveragePooling1dLayerOptions& options,
                               std::source_location where) {
  return average(average1d, poolSize, options, where);
}
AnyLayer averagePooling2dLayer(const WindowSizes& poolSize, const AveragePooling2dLayerOptions& options,
                               std::source_location where) {
  return average(average2d, poolSize, options, where);
}
AnyLayer averagePooling3dLayer(const WindowSizes& poolSize, const AveragePooling3dLayerOptions& options,
                               std::source_location where) {
  return average(average3d, poolSize, options, where);
}

AnyLayer globalAveragePooling1dLayer(const GlobalPoolingLayerOptions& options) {
  return GlobalPoolingLayer(globalAverage1d, options.name);
}
AnyLayer globalAveragePooling2dLayer(const GlobalPoolingLayerOptions& options) {
  return GlobalPoolingLayer(globalAverage2d, options.name);
}
AnyLayer globalAveragePooling3dLayer(const GlobalPoolingLayerOptions& options) {
  return GlobalPoolingLayer(globalAverage3d, options.name);
}
AnyLayer globalMaxPooling1dLayer(const GlobalPoolingLayerOptions& options) {
  return GlobalPoolingLayer(globalMax1d, options.name);
}
AnyLayer globalMaxPooling2dLayer(const GlobalPoolingLayerOptions& options) {
  return GlobalPoolingLayer(globalMax2d, options.name);
}
AnyLayer globalMaxPooling3dLayer(const GlobalPoolingLayerOptions& options) {
  return GlobalPoolingLayer(globalMax3d, options.name);
}

AnyLayer adaptiveAveragePooling2dLayer(const WindowSizes& outputSize, const AdaptiveAveragePooling2dLayerOptions& options,
                                       std::source_location where) {
  checkWindow(outputSize, 2, "adaptiveAveragePooling2dLayer", "output size", where);
  AdaptiveAveragePoolingLayer layer;
  layer.name = options.name;
  layer.outputSize = outputSize;
  return layer;
}

AnyLayer maxUnpooling2dLayer(const MaxUnpooling2dLayerOptions& options) {
  MaxUnpoolingLayer layer;
  layer.name = options.name;
  return layer;
}

namespace layers {

std::vector<AnyLayer> poolingPrototypes() {
  std::vector<AnyLayer> all;
  for (const Kind* kind : {&max1d, &max2d, &max3d, &average1d, &average2d, &average3d}) all.push_back(PoolingLayer(*kind));
  for (const Kind* kind : {&globalMax1d, &globalMax2d, &globalMax3d, &globalAverage1d, &globalAverage2d, &globalAverage3d})
    all.push_back(GlobalPoolingLayer(*kind));
  all.push_back(AdaptiveAveragePoolingLayer());
  all.push_back(MaxUnpoolingLayer());
  return all;
}

}  // namespace layers

}  // namespace dl
