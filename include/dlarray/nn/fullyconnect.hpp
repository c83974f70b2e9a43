#pragma once
#include <dlarray/array.hpp>

namespace dl {

struct FullyconnectOptions {
  std::string_view dataFormat = {};  // the labels of an array without labels
};

/// W times x plus b for every observation and time step, where x is all of its elements along S, C and U in stored order: data of
/// 4(S) x 3(C) x 7(B) and weights of 10 x 12 give 10(C) x 7(B). The result has C, and B and T where the data has them.
///
/// Weights are an unlabelled matrix outputs x elements, or carry C on the outputs. The bias has an element for each output, or is
/// one number for all; labelled, its elements lie along C. Throws when the weights do not fit an observation, when the bias does not
/// fit the outputs, and for data without labels and `dataFormat`. Differentiable to any order. (MATLAB: fullyconnect)
DlArray fullyconnect(Operand x, Operand weights, Operand bias, const FullyconnectOptions& options = {});

}  // namespace dl
