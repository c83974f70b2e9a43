#include "engine/elementwise.hpp"
#include "engine/fit.hpp"
#include "formulas/binary.hpp"
#include "nn/bias.hpp"
#include "nn/data_format.hpp"

#include <dlarray/nn/fullyconnect.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/shape.hpp>

namespace dl {

namespace {

// The weights as a matrix with the outputs as its rows.
DlArray weightMatrix(const Operand& weights, Index elements, const DlArray& x) {
  const auto& where = weights.where();
  const Shape& shape = Storage::shape(weights);
  const std::uint32_t outputs = shape.format.labelled() ? dimensionsWith(shape, "C") : 1U;
  if (!shape.format.labelled() && !ismatrix(weights))
    fail(where, "fullyconnect:weights", "fullyconnect: the weights are {}; unlabelled ones must be a matrix, outputs x {}",
         describe(weights), elements);
  if (outputs == 0)
    fail(where, "fullyconnect:weights",
         "fullyconnect: the weights are {}; labelled ones must carry C, as many as there are outputs", describe(weights));
  const Index rows = sizeOf(shape, outputs);
  if (numel(weights) != rows * elements)
    fail(where, "fullyconnect:weights",
         "fullyconnect: the weights are {} but an observation of {} has {} elements; the weights must be {} x {}",
         describe(weights), describe(x), elements, rows, elements);
  const Shape matrix{Size::matrix(rows, elements), {}};
  if (shape.format == Format() && shape.size == matrix.size) return weights;
  if (outputs == 1U) return engine::reshapeTo(weights, matrix);
  std::vector<Index> order;
  for (Index d = 0; d < ndims(weights); ++d)
    if (outputs >> d & 1U)
      order.insert(order.begin(), d);
    else
      order.push_back(d);
  return engine::reshapeTo(permute(stripdims(Operand(weights.get(), where)), order), matrix);
}

// The data with one column for each observation and time step.
DlArray columns(const DlArray& x, Index elements, const std::source_location& where) {
  const Shape& shape = Storage::shape(x);
  const std::uint32_t repeated = dimensionsWith(shape, "BT"), unnamed = dimensionsWith(shape, "U");
  const Shape matrix{Size::matrix(elements, sizeOf(shape, repeated)), {}};
  const Operand operand(x, where);
  if (repeated == 0 || sizeOf(shape, unnamed) == 1) return engine::reshapeTo(operand, matrix);
  std::vector<Index> order, last;
  for (Index d = 0; d < ndims(x); ++d) (repeated >> d & 1U ? last : order).push_back(d);
  order.insert(order.end(), last.begin(), last.end());
  return engine::reshapeTo(permute(stripdims(operand), order), matrix);
}

}  // namespace

DlArray fullyconnect(Operand x, Operand weights, Operand bias, const FullyconnectOptions& options) {
  const LabelledData data(x, options.dataFormat, "fullyconnect");
  const auto& where = x.where();
  const Shape& shape = data.shape();
  const Index elements = sizeOf(shape, dimensionsWith(shape, "SCU"));
  const DlArray w = weightMatrix(weights, elements, data.array());
  Shape result{Size{size(w, 0)}, Format::of({Format::C})};
  for (std::size_t d = 0; d < shape.size.size(); ++d)
    if (shape.format[d] == Format::B || shape.format[d] == Format::T) {
      result.format.set(result.size.size(), shape.format[d]);
      result.size.push_back(shape.size[d]);
    }
  if (result.size.size() == 1) {
    result.size.push_back(1);
    result.format.set(1, Format::U);
  }
  const DlArray b = biasAlong(bias, result, "fullyconnect");
  DlArray y = mtimes(Operand(w, where), Operand(columns(data.array(), elements, where), where));
  return data.result(withBias(engine::reshapeTo(Operand(std::move(y), where), result), b, where));
}

}  // namespace dl
