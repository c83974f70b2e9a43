// Attention with 256 channels in 8 heads, 128 tokens, 16 observations, in single precision: against its matrix products alone,
// done by the library's own kernel on matrices that lie well for it, in the same run, taking turns.

#include "bench.hpp"
#include "threads.hpp"
#include "cpu/blas.hpp"

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

constexpr Index channels = 256, heads = 8, tokens = 128, batch = 16, head = channels / heads, pages = heads * batch;

using Floats = std::vector<float>;
Floats numbers(Index n) { return extractdata<Floats>(0.1F * randn(n, 1, Type::Single)); }

struct Products {
  static constexpr Index tokenPage = head * tokens, scorePage = tokens * tokens;
  Floats q = numbers(channels * tokens * batch), k = q, v = q, y = q, a = numbers(scorePage * pages), s = a;

  void forward() {
    cpu::gemmBatch<float>(true, false, tokens, tokens, head, 1, k.data(), tokenPage, q.data(), tokenPage, 0, s.data(), scorePage,
                          pages);
    cpu::gemmBatch<float>(false, false, head, tokens, tokens, 1, v.data(), tokenPage, a.data(), scorePage, 0, y.data(), tokenPage,
                          pages);
  }
  void backward() {
    cpu::gemmBatch<float>(true, false, tokens, tokens, head, 1, v.data(), tokenPage, q.data(), tokenPage, 0, s.data(), scorePage,
                          pages);
    for (const bool trans : {false, true, true})
      cpu::gemmBatch<float>(false, trans, head, tokens, tokens, 1, v.data(), tokenPage, a.data(), scorePage, 0, y.data(),
                            tokenPage, pages);
  }
};

struct Ours {
  DlArray q = dlarray(randn(Size{channels, batch, tokens}, Type::Single), "CBT"), k = 0.5 * q, v = 2 * q;

  void forward() const { bench::keep(data<float>(attention(q, k, v, heads))); }
  void both() const {
    const auto gradients =
        dlfeval([](const std::vector<DlArray>& x) { return dlgradient(sum(attention(x[0], x[1], x[2], heads), "all"), x); },
                std::vector{q, k, v});
    bench::keep(data<float>(gradients[0]));
  }
};

}  // namespace

int main() {
  bench::forThreads([](int threads) {
    const Ours ours;
    Products products;
    const std::string name =
        "attention 256, 8 heads, 128 x 16, " + std::to_string(threads) + " thread" + (threads > 1 ? "s" : "");
    bench::compare(name + ", forward", {{"ours", [&] { ours.forward(); }}, {"products alone", [&] { products.forward(); }}});
    bench::compare(name + ", both",
                   {{"ours", [&] { ours.both(); }}, {"products alone", [&] { products.forward(), products.backward(); }}});
  });
}
