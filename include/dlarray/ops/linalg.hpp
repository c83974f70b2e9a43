#pragma once
#include <dlarray/array.hpp>

// Products and norms; all differentiate to any order.
namespace dl {

/// The matrix product of an m x k and a k x n matrix, or scaling when one side is scalar; also written a * b. A labelled matrix takes no
/// part in a matrix product: strip its labels first. (MATLAB: mtimes)
DlArray mtimes(Operand a, Operand b);
/// One matrix product for each page: m x k x ... times k x n x ... is m x n x ..., where dimensions from the third on expand as in
/// arithmetic. Pages of size 1 x 1 scale the other side's. Unlabelled, as `mtimes`. (MATLAB: pagemtimes)
DlArray pagemtimes(Operand a, Operand b);
/// The same with "none", "transpose" or "ctranspose" applied to the pages of each side.
DlArray pagemtimes(Operand a, std::string_view transposeA, Operand b, std::string_view transposeB);
/// The Kronecker product of two matrices: every element of a times b, in a's places. (MATLAB: kron)
DlArray kron(Operand a, Operand b);

/// The inner product of two vectors of equally many elements, rows or columns. (MATLAB: dot)
DlArray dot(Operand a, Operand b);
/// The inner products of the vectors along a dimension of two arrays of the same size; the dimension keeps its label with size 1.
DlArray dot(Operand a, Operand b, const Dimensions& dimension);
/// The vector product along a dimension of size 3; without one, of two vectors of 3 elements. (MATLAB: cross)
DlArray cross(Operand a, Operand b, const Dimensions& dimension = {});

/// The p-norm of a vector, sum(|x|^p)^(1/p) for p > 0, or the largest or smallest |x| for p = Inf or -Inf. Of a matrix the norms 1
/// (largest column sum) and Inf (largest row sum). The derivative at a zero vector is 0. Large and small elements neither overflow
/// nor vanish on the way. (MATLAB: norm)
DlArray norm(Operand x, double p = 2);
/// "fro": the root of the sum of squares of any array; "inf" and "-inf". (MATLAB: norm)
DlArray norm(Operand x, std::string_view kind);
/// The p-norms of the vectors along a dimension. (MATLAB: vecnorm)
DlArray vecnorm(Operand x, double p = 2, const Dimensions& dimension = {});

}  // namespace dl
