#include <dlarray/layers/shape.hpp>

#include "engine/fit.hpp"
#include "layers/registry.hpp"
#include "layers/support.hpp"

#include <algorithm>
#include <cmath>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/subscript.hpp>

namespace dl {

namespace {

using namespace layers;

const std::source_location noPlace;

// A layer with one input that looks at nothing but its size and labels, and so refuses the same data in initialisation and in
// use.
struct OneInputLayer : Layer {
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override { checkData(shapesOf(*this, data)[0]); }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 1);
    checkData(Storage::shape(X[0]));
    return {inside(*this, [&] { return changed(X[0]); })};
  }
  virtual void checkData(const Shape&) const {}
  virtual DlArray changed(const DlArray& x) const = 0;
};

template <class L>
L named(L layer, const std::string& name) {
  layer.name = name;
  return layer;
}

// Labels in stored order, up to the two dimensions that every array has.
void append(Shape& shape, Index size, Format::Label label) {
  shape.format.set(shape.size.size(), label);
  shape.size.push_back(size);
}
void fillUp(Shape& shape) {
  while (shape.size.size() < 2) append(shape, 1, Format::U);
}

// ---- other sizes ---------------------------------------------------------------------------------------------------------

struct FlattenLayer final : OneInputLayer {
  std::string type() const override { return "FlattenLayer"; }
  std::string stem() const override { return "flatten"; }
  DlArray changed(const DlArray& x) const override {
    const Shape& shape = Storage::shape(x);
    Shape flat;
    append(flat, 1, Format::C);
    for (std::size_t d = 0; d < shape.size.size(); ++d)
      if (shape.format[d] == Format::S || shape.format[d] == Format::C)
        flat.size[0] *= shape.size[d];
      else
        append(flat, shape.size[d], shape.format[d]);
    fillUp(flat);
    return flat == shape ? x : engine::reshapeTo(x, flat);
  }
  void checkData(const Shape& data) const override {
    if (!data.format.labelled())
      fail(noPlace, "layer:data", "{}: the input is {}, without labels; the layer joins the dimensions S and C", called(*this),
           toString(data));
  }
};

struct ReshapeLayer final : OneInputLayer {
  WindowSizes sizes = -1;     // -1 for the one to be worked out
  bool observations = false;  // "spatial-channel": the sizes are those of one observation

  std::string type() const override { return "ReshapeLayer"; }
  std::string stem() const override { return "reshape"; }

  DlArray changed(const DlArray& x) const override {
    const Shape& shape = Storage::shape(x);
    // What keeps its label; in "spatial-channel" its size too.
    Shape kept;
    Index elements = 1;
    bool channels = false;
    for (std::size_t d = 0; d < shape.size.size(); ++d) {
      channels = channels || shape.format[d] == Format::C;
      const bool own = shape.format[d] == Format::S || shape.format[d] == Format::C;
      if (!observations || own) elements *= shape.size[d];
      if (observations ? !own : shape.format[d] != Format::S) append(kept, shape.size[d], shape.format[d]);
    }
    const std::vector<Index> to = workedOut(elements, shape);
    if (!shape.format.labelled()) return reshape(x, Size(to));
    if (!observations && to.size() < kept.size.size())
      fail(noPlace, "layer:data", "{} sizes for the input {}, which has {} dimensions besides S", to.size(), toString(shape),
           kept.size.size());
    const std::size_t spatial = to.size() - (observations ? 1 : kept.size.size());
    Shape result;
    for (std::size_t d = 0; d < to.size(); ++d)
      append(result, to[d], d < spatial ? Format::S : observations ? Format::C : kept.format[d - spatial]);
    for (std::size_t d = 0; observations && d < kept.size.size(); ++d) append(result, kept.size[d], kept.format[d]);
    fillUp(result);
    dropTrailing(result);
    return engine::reshapeTo(x, result);
  }

  std::vector<Index> workedOut(Index elements, const Shape& data) const {
    std::vector<Index> to;
    Index known = 1;
    std::size_t open = sizes.count();
    for (std::size_t d = 0; d < sizes.count(); ++d) {
      to.push_back(sizes[d]);
      if (to[d] < 0)
        open = d;
      else
        known *= to[d];
    }
    const bool isOpen = open < to.size();
    if (isOpen ? known == 0 || elements % known != 0 : known != elements)
      fail(noPlace, "layer:elements", "{} elements{} do not fill the size {}: {}", elements, observations ? " along S and C" : "",
           list(), toString(data));
    if (isOpen) to[open] = elements / known;
    return to;
  }
  std::string list() const {
    std::string text;
    for (std::size_t d = 0; d < sizes.count(); ++d)
      text += fmt::format("{}{}", d ? " x " : "", sizes[d] == -1 ? "?" : fmt::format("{}", sizes[d]));
    return text;
  }
  void options(OptionVisitor& visit) override {
    std::string dimension = observations ? "spatial-channel" : "all";
    visit("outputSize", sizes);
    visit("operationDimension", dimension);
    observations = dimension == "spatial-channel";
  }
};

struct PermuteLayer final : OneInputLayer {
  Size order;

  std::string type() const override { return "PermuteLayer"; }
  std::string stem() const override { return "permute"; }
  DlArray changed(const DlArray& x) const override {
    const Shape& shape = Storage::shape(x);
    std::vector<Index> all(order.begin(), order.end());
    for (std::size_t d = all.size(); d < shape.size.size(); ++d) all.push_back(static_cast<Index>(d));
    const DlArray plain = permute(stripdims(x), all);
    if (!shape.format.labelled()) return plain;
    // The labels stay; dimensions that the order names past the last get U.
    Shape result;
    for (std::size_t d = 0; d < all.size(); ++d)
      append(result, sizeAt(size(plain), d), d < shape.size.size() ? shape.format[d] : Format::U);
    dropTrailing(result);
    return engine::reshapeTo(plain, result);
  }
  void options(OptionVisitor& visit) override { visit("dimensionOrder", order); }
};

// ---- parts ---------------------------------------------------------------------------------------------------------------

struct CropLayer final : Layer {
  std::size_t dimensions;
  std::string mode = "centercrop";  // "" when there is a corner
  WindowSizes corner = 0;           // x, y, z

  explicit CropLayer(std::size_t n) : dimensions(n) {}
  std::string type() const override { return dimensions == 2 ? "Crop2dLayer" : "Crop3dLayer"; }
  std::string stem() const override { return dimensions == 2 ? "crop2d" : "crop3d"; }
  std::vector<std::string> inputNames() const override { return {"in", "ref"}; }

  void checkData(const Shape& in, const Shape& ref) const {
    for (const Shape* shape : {&in, &ref})
      if (countOf(*shape, Format::S) != dimensions)
        fail(noPlace, "layer:data", "{}: the input \"{}\" is {}; the layer needs {} spatial dimensions, S", called(*this),
             shape == &in ? "in" : "ref", toString(*shape), dimensions);
  }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    const std::vector<Shape> shapes = shapesOf(*this, data, 2);
    checkData(shapes[0], shapes[1]);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), 2);
    const Shape &in = Storage::shape(X[0]), &ref = Storage::shape(X[1]);
    checkData(in, ref);
    std::vector<Subscript> parts;
    for (std::size_t d = 0; d < in.size.size(); ++d) {
      if (d >= dimensions) {
        parts.emplace_back(all);
        continue;
      }
      // A corner tells the column before the row.
      const Index first = mode.empty() ? corner[d < 2 ? 1 - d : d] : (in.size[d] - ref.size[d]) / 2;
      if (in.size[d] < ref.size[d] || first + ref.size[d] > in.size[d])
        fail(noPlace, "layer:data",
             "{}: a part of {} from {} does not lie inside dimension {} of the input {}; the reference is {}", called(*this),
             ref.size[d], first, d, toString(in), toString(ref));
      parts.emplace_back(span(first, first + ref.size[d] - 1));
    }
    std::vector<const Subscript*> list;
    for (const Subscript& part : parts) list.push_back(&part);
    return {inside(*this, [&] { return detail::read(X[0], list.data(), static_cast<int>(list.size()), noPlace); })};
  }
  void options(OptionVisitor& visit) override {
    visit("mode", mode);
    visit("location", corner);
  }
};

struct ResizeLayer final : Layer {
  std::size_t dimensions;
  Resize2dLayerOptions o = {.scale = 1};  // its name is not used

  explicit ResizeLayer(std::size_t n) : dimensions(n) {}
  std::string type() const override { return dimensions == 2 ? "Resize2dLayer" : "Resize3dLayer"; }
  std::string stem() const override { return dimensions == 2 ? "resize2d" : "resize3d"; }
  std::vector<std::string> inputNames() const override {
    if (o.enableReferenceInput) return {"in", "ref"};
    return {"in"};
  }
  void checkData(const Shape& data) const {
    if (countOf(data, Format::S) != dimensions)
      fail(noPlace, "layer:data", "{}: the input is {}; the layer needs {} spatial dimensions, S", called(*this), toString(data),
           dimensions);
  }
  void initialize(Parameters&, const std::vector<DataLayout>& data) const override {
    for (const Shape& shape : shapesOf(*this, data, o.enableReferenceInput ? 2 : 1)) checkData(shape);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override {
    checkInputs(*this, X.size(), o.enableReferenceInput ? 2 : 1);
    for (const DlArray& x : X) checkData(Storage::shape(x));
    return {inside(*this, [&] {
      DlresizeOptions how{.scale = o.scale,
                          .outputSize = o.outputSize,
                          .method = o.method == "nearest" ? "nearest" : "linear",
                          .geometricTransformMode = o.geometricTransformMode,
                          .nearestRoundingMode = o.nearestRoundingMode};
      if (o.enableReferenceInput) {
        Size wanted = Storage::shape(X[1]).size;
        wanted.resize(dimensions);
        how.outputSize = wanted;
      }
      return dlresize(X[0], how);
    })};
  }
  void options(OptionVisitor& visit) override {
    visit("scale", o.scale);
    visit("outputSize", o.outputSize);
    visit("enableReferenceInput", o.enableReferenceInput);
    visit("method", o.method);
    visit("geometricTransformMode", o.geometricTransformMode);
    visit("nearestRoundingMode", o.nearestRoundingMode);
  }
};

// ---- other values --------------------------------------------------------------------------------------------------------

struct IdentityLayer final : OneInputLayer {
  std::string type() const override { return "IdentityLayer"; }
  std::string stem() const override { return "identity"; }
  DlArray changed(const DlArray& x) const override { return x; }
};

struct ScalingLayer final : OneInputLayer {
  DlArray scale = 1.0, bias = 0.0;

  std::string type() const override { return "ScalingLayer"; }
  std::string stem() const override { return "scaling"; }
  // Scalars keep the type of the data.
  static bool is(const DlArray& x, double value) { return isscalar(x) && double(x) == value; }
  DlArray changed(const DlArray& x) const override {
    if (is(scale, 1)) return is(bias, 0) ? x : x + bias;
    DlArray y = scale % x;
    return is(bias, 0) ? y : std::move(y) + bias;
  }
  void options(OptionVisitor& visit) override {
    visit("scale", scale);
    visit("bias", bias);
  }
};

CropLayer crop(std::size_t dimensions, const CropLocation& location, const std::string& name, const char* function,
               const std::source_location& where) {
  CropLayer layer = named(CropLayer(dimensions), name);
  layer.mode = location.word();
  layer.corner = location.corner();
  if (!layer.mode.empty() && layer.mode != "centercrop")
    fail(where, "layer:word", "{}: the location is \"{}\", neither \"centercrop\" nor a corner", function, layer.mode);
  if (layer.mode.empty() && layer.corner.count() != dimensions)
    fail(where, "layer:window", "{}: the corner has {} numbers; it is {}", function, layer.corner.count(),
         dimensions == 2 ? "{x, y}" : "{x, y, z}");
  for (std::size_t d = 0; d < layer.corner.count(); ++d) checkNumber(layer.corner[d], 0, function, "corner", where);
  return layer;
}

ResizeLayer resize(std::size_t dimensions, const Resize2dLayerOptions& o, const char* function, const char* linear,
                   const std::source_location& where) {
  const int ways = (o.scale.count() > 0) + (o.outputSize.count() > 0) + o.enableReferenceInput;
  if (ways != 1)
    fail(where, "layer:resize",
         "{}: {} of .scale, .outputSize and .enableReferenceInput are given; one of them says how large data becomes", function,
         ways);
  for (const auto& [numbers, what] : {std::pair(&o.scale, ".scale"), std::pair(&o.outputSize, ".outputSize")}) {
    if (numbers->count() > 1 && numbers->count() != dimensions)
      fail(where, "layer:window", "{}: {} has {} numbers; give one, or one for each of {} dimensions", function, what,
           numbers->count(), dimensions);
    for (std::size_t d = 0; d < numbers->count(); ++d)
      if (!((*numbers)[d] > 0) || (numbers == &o.outputSize && (*numbers)[d] != std::floor((*numbers)[d])))
        fail(where, "layer:number", "{}: {} is {}; it must be a positive {}number", function, what, (*numbers)[d],
             numbers == &o.outputSize ? "whole " : "");
  }
  if (o.method != "nearest" && o.method != linear)
    fail(where, "layer:word", "{}: the method is \"{}\", neither \"nearest\" nor \"{}\"", function, o.method, linear);
  if (o.geometricTransformMode != "half-pixel" && o.geometricTransformMode != "asymmetric")
    fail(where, "layer:word", "{}: .geometricTransformMode is \"{}\", neither \"half-pixel\" nor \"asymmetric\"", function,
         o.geometricTransformMode);
  if (o.nearestRoundingMode != "round" && o.nearestRoundingMode != "floor" && o.nearestRoundingMode != "onnx-10")
    fail(where, "layer:word", "{}: .nearestRoundingMode is \"{}\", not \"round\", \"floor\" or \"onnx-10\"", function,
         o.nearestRoundingMode);
  ResizeLayer layer = named(ResizeLayer(dimensions), o.name);
  layer.o = o;
  return layer;
}

}  // namespace

AnyLayer flattenLayer(const ShapeLayerOptions& options) { return named(FlattenLayer(), options.name); }

AnyLayer reshapeLayer(const std::vector<Index>& outputSize, const ReshapeLayerOptions& options, std::source_location where) {
  ReshapeLayer layer = named(ReshapeLayer(), options.name);
  layer.sizes = WindowSizes(outputSize);
  layer.observations = options.operationDimension == "spatial-channel";
  if (!layer.observations && options.operationDimension != "all")
    fail(where, "layer:word", "reshapeLayer: .operationDimension is \"{}\", neither \"all\" nor \"spatial-channel\"",
         options.operationDimension);
  const auto open = std::count(outputSize.begin(), outputSize.end(), Index{-1});
  if (outputSize.empty() || open > 1 || std::any_of(outputSize.begin(), outputSize.end(), [](Index n) { return n < -1; }))
    fail(where, "layer:number", "reshapeLayer: the size is {}; it is a list of sizes, of which one may be -1",
         outputSize.empty() ? "empty" : layer.list());
  return layer;
}

AnyLayer permuteLayer(const std::vector<Index>& order, const ShapeLayerOptions& options, std::source_location where) {
  std::vector<Index> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t d = 0; d < sorted.size(); ++d)
    if (sorted[d] != static_cast<Index>(d))
      fail(where, "layer:order",
           "permuteLayer: the order of {} numbers does not hold {} once; it lists the dimensions from 0 to {}", order.size(), d,
           order.size() - 1);
  PermuteLayer layer = named(PermuteLayer(), options.name);
  layer.order = Size(order);
  return layer;
}

AnyLayer crop2dLayer(const CropLocation& location, const ShapeLayerOptions& options, std::source_location where) {
  return crop(2, location, options.name, "crop2dLayer", where);
}
AnyLayer crop3dLayer(const CropLocation& location, const ShapeLayerOptions& options, std::source_location where) {
  return crop(3, location, options.name, "crop3dLayer", where);
}
AnyLayer resize2dLayer(const Resize2dLayerOptions& options, std::source_location where) {
  return resize(2, options, "resize2dLayer", "bilinear", where);
}
AnyLayer resize3dLayer(const Resize3dLayerOptions& options, std::source_location where) {
  return resize(3, options, "resize3dLayer", "trilinear", where);
}
AnyLayer identityLayer(const ShapeLayerOptions& options) { return named(IdentityLayer(), options.name); }

AnyLayer scalingLayer(const ScalingLayerOptions& options) {
  ScalingLayer layer = named(ScalingLayer(), options.name);
  layer.scale = options.scale;
  layer.bias = options.bias;
  return layer;
}

namespace layers {

std::vector<AnyLayer> shapePrototypes() {
  return {FlattenLayer(), ReshapeLayer(), PermuteLayer(),  CropLayer(2),  CropLayer(3),
          ResizeLayer(2), ResizeLayer(3), IdentityLayer(), ScalingLayer()};
}

}  // namespace layers

}  // namespace dl
