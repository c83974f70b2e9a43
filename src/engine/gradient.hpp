#pragma once
#include "engine/trace.hpp"

#include <dlarray/autodiff.hpp>

#include <span>

namespace dl::engine {

/// The gradients of the scalar `y` by each of `count` variables, by one walk through the open trace from y's node downwards.
/// `function` names the caller in error sentences.
void gradients(const char* function, const Operand& y, const DlArray* const* variables, DlArray* results, std::size_t count,
               const GradientOptions& options);

/// The gradients of sum over k of <outputs[k], weights[k]>: the same walk, started from the weights, whose memory it may use up.
/// Outputs that are not traced count as constants.
void weightedGradients(const char* function, std::span<const DlArray> outputs, std::span<DlArray> weights,
                       const DlArray* const* variables, DlArray* results, std::size_t count, const GradientOptions& options,
                       const std::source_location& where);

}  // namespace dl::engine
