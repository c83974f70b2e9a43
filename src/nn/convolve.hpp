#pragma once
#include "cpu/convolution.hpp"
#include "engine/apply.hpp"

// The three operations that convolutions and their derivatives of every order are made of. Arrays are unlabelled, of one floating type,
// and of the sizes that cpu/convolution.hpp names. Each is linear in its two factors, so the gradients of any are the other two.
namespace dl {

/// Results of data and weights.
DlArray convolved(const cpu::Convolution& p, const Operand& x, const Operand& weights);
/// The same plus a bias of their type, 1 x 1 x 1 x filters of all groups. Nothing is empty.
DlArray convolved(const cpu::Convolution& p, const Operand& x, const Operand& weights, const Operand& bias);
/// Data of results and weights: the gradient of `convolved` by the data, and the transposed convolution.
DlArray spread(const cpu::Convolution& p, const Operand& results, const Operand& weights);

/// The shapes of the three kinds of arrays.
Shape dataShape(const cpu::Convolution& p);
Shape weightsShape(const cpu::Convolution& p);
Shape resultsShape(const cpu::Convolution& p);

}  // namespace dl
