#pragma once
#include <dlarray/array.hpp>

// Functions that rearrange elements; all differentiate to any order.
namespace dl {

namespace detail {
DlArray reshaped(const Operand& x, const Index* sizes, std::size_t count);
}

/// The same elements in column-major order under another size. Always unlabelled. Throws when the counts differ. (MATLAB: reshape)
DlArray reshape(Operand x, const Size& size);
/// The same with the sizes one by one; one of them may be -1 and is then worked out: `reshape(X, 28, 28, -1)`.
template <Integer... I>
  requires(sizeof...(I) >= 2)
DlArray reshape(Operand x, I... sizes) {
  const Index list[] = {static_cast<Index>(sizes)...};
  return detail::reshaped(x, list, sizeof...(I));
}
/// The same with MATLAB's `[]` for the size to be worked out.
DlArray reshape(Operand x, Empty, Index columns);
DlArray reshape(Operand x, Index rows, Empty);

/// Dimension d of the result is dimension order[d] of x. A labelled array may only exchange dimensions of the same label:
/// labels have their place. (MATLAB: permute)
DlArray permute(Operand x, const std::vector<Index>& order);
/// The opposite of `permute` with the same order. (MATLAB: ipermute)
DlArray ipermute(Operand x, const std::vector<Index>& order);
/// Rows become columns; of a labelled matrix only when both labels are the same. (MATLAB: transpose)
DlArray transpose(Operand x);
/// The complex conjugate transpose, of a real matrix its transpose. (MATLAB: ctranspose)
DlArray ctranspose(Operand x);
/// Without the dimensions of size 1, labels included; a matrix is returned as it is, and what is left over of a labelled array
/// becomes a column n(C) x 1(U). (MATLAB: squeeze)
DlArray squeeze(Operand x);
/// Dimensions moved to the left by n, round the end; to the right with new ones of size 1 when n < 0. Labelled arrays as in `permute`.
/// (MATLAB: shiftdim)
DlArray shiftdim(Operand x, Index n);
/// Without the leading dimensions of size 1. (MATLAB: shiftdim)
DlArray shiftdim(Operand x);

/// Copies of x beside each other, `repeats[d]` along dimension d; dimensions past the last of a labelled array get the label U.
/// (MATLAB: repmat)
DlArray repmat(Operand x, const Size& repeats);
/// `repmat(x, n)` is n x n copies, `repmat(x, m, n, ...)` m along the first dimension, n along the second, ...
template <Integer... I>
  requires(sizeof...(I) >= 1)
DlArray repmat(Operand x, I... repeats) {
  if constexpr (sizeof...(I) == 1)
    return repmat(x, Size{static_cast<Index>(repeats)..., static_cast<Index>(repeats)...});
  else
    return repmat(x, Size{static_cast<Index>(repeats)...});
}

/// Arrays joined along a dimension or a label. Sizes must agree in all other dimensions, labelled arrays must have the same labels, which
/// unlabelled ones take on. Empty 0 x 0 arrays are left out. (MATLAB: cat)
DlArray cat(const Dimensions& dimension, const std::vector<DlArray>& arrays, std::source_location where = std::source_location::current());
/// Joined side by side, along dimension 1. (MATLAB: horzcat)
DlArray horzcat(const std::vector<DlArray>& arrays, std::source_location where = std::source_location::current());
template <std::convertible_to<DlArray>... More>
  requires(sizeof...(More) >= 1)
DlArray horzcat(Operand first, const More&... more) {
  return horzcat(std::vector<DlArray>{first, DlArray(more)...}, first.where());
}
/// Joined one below the other, along dimension 0. (MATLAB: vertcat)
DlArray vertcat(const std::vector<DlArray>& arrays, std::source_location where = std::source_location::current());
template <std::convertible_to<DlArray>... More>
  requires(sizeof...(More) >= 1)
DlArray vertcat(Operand first, const More&... more) {
  return vertcat(std::vector<DlArray>{first, DlArray(more)...}, first.where());
}

/// The elements in the opposite order along a dimension, or along each of several. Without one, an array with at most one dimension
/// longer than 1. (MATLAB: flip)
DlArray flip(Operand x, const Dimensions& dimension = {});
/// Elements moved by `shift` positions along a dimension, round its end; towards its start when negative. (MATLAB: circshift)
DlArray circshift(Operand x, Index shift, const Dimensions& dimension = {});
/// The same by shifts[d] along each dimension d. (MATLAB: circshift)
DlArray circshift(Operand x, const std::vector<Index>& shifts);
/// Differences of neighbours along a dimension, x(i + 1) - x(i), taken `order` times; each time one fewer. (MATLAB: diff)
DlArray diff(Operand x, Index order = 1, const Dimensions& dimension = {});

}  // namespace dl
