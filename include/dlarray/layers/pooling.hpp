#pragma once
#include <dlarray/layers/layer.hpp>
#include <dlarray/nn/pooling.hpp>

// Layers that pool. A layer for n dimensions pools the n spatial dimensions of its data, or, where there is one fewer and T,
// these and T. The stride is 1 unless given. Padding is given as to convolution layers. The layer functions throw for sizes that
// are none, the layers for data with other labels.
namespace dl {

struct MaxPooling1dLayerOptions {
  std::string name = {};
  WindowSizes stride = 1;
  Padding padding = 0;
};
using MaxPooling3dLayerOptions = MaxPooling1dLayerOptions;
struct MaxPooling2dLayerOptions {
  std::string name = {};
  WindowSizes stride = 1;
  Padding padding = 0;
  bool hasUnpoolingOutputs = false;
};
/// The largest element in each window along one dimension. (MATLAB: maxPooling1dLayer)
AnyLayer maxPooling1dLayer(const WindowSizes& poolSize, const MaxPooling1dLayerOptions& options = {},
                           std::source_location where = std::source_location::current());
/// The same along two dimensions. With `.hasUnpoolingOutputs` there are the outputs "out", "indices" (0-based positions in the
/// data) and "size" (of the data, a row), for the inputs of `maxUnpooling2dLayer`. (MATLAB: maxPooling2dLayer)
AnyLayer maxPooling2dLayer(const WindowSizes& poolSize, const MaxPooling2dLayerOptions& options = {},
                           std::source_location where = std::source_location::current());
/// The same along three dimensions. (MATLAB: maxPooling3dLayer)
AnyLayer maxPooling3dLayer(const WindowSizes& poolSize, const MaxPooling3dLayerOptions& options = {},
                           std::source_location where = std::source_location::current());

struct AveragePooling2dLayerOptions {
  std::string name = {};
  WindowSizes stride = 1;
  Padding padding = 0;
  PoolPaddingValue paddingValue = 0;  // or "mean"
};
using AveragePooling1dLayerOptions = AveragePooling2dLayerOptions;
using AveragePooling3dLayerOptions = AveragePooling2dLayerOptions;
/// The mean of each window along one, two or three dimensions. (MATLAB: averagePooling1dLayer, averagePooling2dLayer,
/// averagePooling3dLayer)
AnyLayer averagePooling1dLayer(const WindowSizes& poolSize, const AveragePooling1dLayerOptions& options = {},
                               std::source_location where = std::source_location::current());
AnyLayer averagePooling2dLayer(const WindowSizes& poolSize, const AveragePooling2dLayerOptions& options = {},
                               std::source_location where = std::source_location::current());
AnyLayer averagePooling3dLayer(const WindowSizes& poolSize, const AveragePooling3dLayerOptions& options = {},
                               std::source_location where = std::source_location::current());

struct GlobalPoolingLayerOptions {
  std::string name = {};
};
/// The mean, or the largest element, over whole dimensions. Spatial ones stay with size 1; T, where it is pooled, is gone: "CBT"
/// gives "CB". (MATLAB: globalAveragePooling1dLayer and its kin)
AnyLayer globalAveragePooling1dLayer(const GlobalPoolingLayerOptions& options = {});
AnyLayer globalAveragePooling2dLayer(const GlobalPoolingLayerOptions& options = {});
AnyLayer globalAveragePooling3dLayer(const GlobalPoolingLayerOptions& options = {});
AnyLayer globalMaxPooling1dLayer(const GlobalPoolingLayerOptions& options = {});
AnyLayer globalMaxPooling2dLayer(const GlobalPoolingLayerOptions& options = {});
AnyLayer globalMaxPooling3dLayer(const GlobalPoolingLayerOptions& options = {});

struct AdaptiveAveragePooling2dLayerOptions {
  std::string name = {};
};
/// Means that make data of any height and width a given size: of n elements, result i of m is the mean of those from floor(i n /
/// m) to before ceil((i + 1) n / m). (MATLAB: adaptiveAveragePooling2dLayer)
AnyLayer adaptiveAveragePooling2dLayer(const WindowSizes& outputSize, const AdaptiveAveragePooling2dLayerOptions& options = {},
                                       std::source_location where = std::source_location::current());

struct MaxUnpooling2dLayerOptions {
  std::string name = {};
};
/// Puts elements back where `maxPooling2dLayer` found them, zeros elsewhere; inputs "in", "indices", "size". (MATLAB:
/// maxUnpooling2dLayer)
AnyLayer maxUnpooling2dLayer(const MaxUnpooling2dLayerOptions& options = {});

}  // namespace dl
