#pragma once
#include <dlarray/layers/layer.hpp>
#include <dlarray/nn/resize.hpp>

// Layers that rearrange, cut, resize or scale data, without parameters.
namespace dl {

struct ShapeLayerOptions {
  std::string name = {};
};
/// All elements along S and C of an observation along C, first dimension first: "SSCB" becomes "CB", "SSCBT" becomes "CBT".
/// (MATLAB: flattenLayer)
AnyLayer flattenLayer(const ShapeLayerOptions& options = {});

struct ReshapeLayerOptions {
  std::string name = {};
  /// "all", or "spatial-channel" for the dimensions S and C of each observation.
  std::string operationDimension = "all";
};
/// The same elements in column-major order under another size; one size may be -1 and is then worked out. With "spatial-channel"
/// the sizes are those of S ... S C. With "all" they are those of all dimensions; labels other than S stay, and what is left in
/// front of them is S: sizes {4, 4, 3, -1} make "SSCB" of "CB". Throws for sizes that are none; the layer for data with another
/// number of elements. (MATLAB: reshapeLayer)
AnyLayer reshapeLayer(const std::vector<Index>& outputSize, const ReshapeLayerOptions& options = {},
                      std::source_location where = std::source_location::current());
/// Dimension i of the result is dimension order[i] of the data; the labels stay where they are, and so do further dimensions.
/// Throws for a list that is no order. (MATLAB: permuteLayer)
AnyLayer permuteLayer(const std::vector<Index>& order, const ShapeLayerOptions& options = {},
                      std::source_location where = std::source_location::current());

/// Where a layer cuts: "centercrop", or the position of the first corner, from 0, as {x, y} or {x, y, z}: column, row, depth.
class CropLocation {
 public:
  CropLocation(const char* word) : word_(word), corner_(0) {}
  CropLocation(std::string word) : word_(std::move(word)), corner_(0) {}
  CropLocation(std::initializer_list<detail::WindowNumber> corner) : corner_(corner) {}

  /// "" when a corner was given.
  const std::string& word() const noexcept { return word_; }
  const WindowSizes& corner() const noexcept { return corner_; }

 private:
  std::string word_;
  WindowSizes corner_;
};
/// Cuts the input "in" to the height and width of the input "ref". Throws where it is smaller. (MATLAB: crop2dLayer)
AnyLayer crop2dLayer(const CropLocation& location, const ShapeLayerOptions& options = {},
                     std::source_location where = std::source_location::current());
/// The same for height, width and depth. (MATLAB: crop3dLayer)
AnyLayer crop3dLayer(const CropLocation& location, const ShapeLayerOptions& options = {},
                     std::source_location where = std::source_location::current());

struct Resize2dLayerOptions {
  std::string name = {};
  ResizeNumbers scale = {};
  ResizeNumbers outputSize = {};
  bool enableReferenceInput = false;  // the size of the input "ref", instead of scale and output size
  std::string method = "nearest";     // or "bilinear"
  std::string geometricTransformMode = "half-pixel";
  std::string nearestRoundingMode = "round";
};
/// Height and width made larger or smaller by interpolation, as `dlresize` does. Throws unless one of scale, output size and
/// reference input is given. (MATLAB: resize2dLayer)
AnyLayer resize2dLayer(const Resize2dLayerOptions& options, std::source_location where = std::source_location::current());
using Resize3dLayerOptions = Resize2dLayerOptions;
/// The same for height, width and depth; the methods are "nearest" and "trilinear". (MATLAB: resize3dLayer)
AnyLayer resize3dLayer(const Resize3dLayerOptions& options, std::source_location where = std::source_location::current());

/// The data as it is. (MATLAB: identityLayer)
AnyLayer identityLayer(const ShapeLayerOptions& options = {});

struct ScalingLayerOptions {
  std::string name = {};
  DlArray scale = 1.0;
  DlArray bias = 0.0;
};
/// Scale times the data plus bias, both constants that expand against the data. (MATLAB: scalingLayer)
AnyLayer scalingLayer(const ScalingLayerOptions& options = {});

}  // namespace dl
