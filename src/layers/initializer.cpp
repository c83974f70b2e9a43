#include "core/fail.hpp"
#include "core/storage.hpp"
#include "layers/support.hpp"

#include <dlarray/layers/parameters.hpp>
#include <dlarray/ops/creation.hpp>
#include <dlarray/ops/elementwise.hpp>
#include <dlarray/ops/linalg.hpp>
#include <dlarray/ops/shape.hpp>
#include <dlarray/random.hpp>

#include <algorithm>
#include <cmath>

namespace dl {

namespace {

const std::source_location noPlace;

// Q of the QR decomposition of a tall matrix of normal numbers, by Householder reflections, with the signs that make R's diagonal
// positive: a matrix that is equally likely to be any with orthonormal columns (Mezzadri 2007).
std::vector<double> orthonormalColumns(Index rows, Index columns) {
  std::vector<double> a = extractdata<std::vector<double>>(randn(rows, columns));
  std::vector<double> scale(static_cast<std::size_t>(columns)), sign(static_cast<std::size_t>(columns));
  const auto column = [&](Index c) { return a.data() + c * rows; };
  const auto reflect = [&](const double* v, double beta, double* x, Index from) {
    double dot = 0;
    for (Index i = from; i < rows; ++i) dot += v[i] * x[i];
    for (Index i = from; i < rows; ++i) x[i] -= beta * dot * v[i];
  };
  for (Index c = 0; c < columns; ++c) {
    double* v = column(c);
    double square = 0;
    for (Index i = c; i < rows; ++i) square += v[i] * v[i];
    const double length = std::sqrt(square), alpha = v[c] > 0 ? -length : length;
    sign[static_cast<std::size_t>(c)] = alpha < 0 ? -1 : 1;
    v[c] -= alpha;
    const double norm = square - 2 * alpha * (v[c] + alpha) + alpha * alpha;
    scale[static_cast<std::size_t>(c)] = norm > 0 ? 2 / norm : 0;
    for (Index k = c + 1; k < columns; ++k) reflect(v, scale[static_cast<std::size_t>(c)], column(k), c);
  }
  std::vector<double> q(static_cast<std::size_t>(rows * columns), 0.0);
  for (Index c = 0; c < columns; ++c) {
    double* to = q.data() + c * rows;
    to[c] = sign[static_cast<std::size_t>(c)];
    for (Index k = columns - 1; k >= 0; --k) reflect(column(k), scale[static_cast<std::size_t>(k)], to, k);
  }
  return q;
}

// Of the parameter as a matrix: its first dimension by all others.
DlArray orthogonal(const Size& size) {
  const Index rows = size.empty() ? 1 : size[0], columns = rows == 0 ? 0 : numel(size) / rows;
  if (rows >= columns) return reshape(dlarray(orthonormalColumns(rows, columns), Size{rows, columns}), size);
  return reshape(transpose(dlarray(orthonormalColumns(columns, rows), Size{columns, rows})), size);
}

constexpr std::string_view rules[] = {"glorot", "he", "orthogonal", "narrow-normal", "zeros", "ones", "unit-forget-gate"};

[[noreturn]] void failRule(const char* function, const std::string& rule, const std::source_location& where) {
  fail(where, "initializer:rule", "{}: {}\"{}\" is not known; use \"{}\" or a function of the size", function,
       std::string_view(function) == "initializer" ? "" : "the initializer ", rule, fmt::join(rules, "\", \""));
}

DlArray byRule(const std::string& rule, const Size& size, Fans fans) {
  const auto in = static_cast<double>(fans.in), out = static_cast<double>(fans.out);
  if (rule == "glorot") return std::sqrt(6 / (in + out)) * (2 * rand(size) - 1);
  if (rule == "he") return std::sqrt(2 / in) * randn(size);
  if (rule == "narrow-normal") return 0.01 * randn(size);
  if (rule == "orthogonal") return orthogonal(size);
  if (rule == "zeros") return zeros(size);
  if (rule == "ones") return ones(size);
  if (rule == "unit-forget-gate") {
    // Of each block of four gates, in the order input, forget, candidate, output, the second.
    DlArray bias = zeros(size);
    const Index blocks = numel(size) == 2 * fans.out ? 2 : 1, hidden = numel(size) / (4 * blocks);
    for (Index b = 0; b < blocks; ++b) bias(span((4 * b + 1) * hidden, (4 * b + 2) * hidden - 1)) = 1;
    return bias;
  }
  failRule("initializer", rule, noPlace);
}

}  // namespace

void layers::checkInitializer(const Initializer& initializer, const char* function, const std::source_location& where) {
  if (!initializer.function() && std::ranges::find(rules, initializer.rule()) == std::end(rules))
    failRule(function, initializer.rule(), where);
}

DlArray Initializer::operator()(const Size& size, Fans fans) const {
  if (!function_) return single_(byRule(rule_, size, fans));
  DlArray value = function_(size);
  if (!(dl::size(value) == size))
    fail(noPlace, "initializer:size", "initializer: the function answered an array of size {} for a parameter of size {}",
         describe(value), toString(size));
  return single_(value);
}

}  // namespace dl
