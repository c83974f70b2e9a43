// The steps of solvers on 4 million parameters: how much of the bandwidth of a copy they reach, counting each array that must be
// read or written once.
#include "bench.hpp"

#include <dlarray/dlarray.hpp>

#include <cstring>
#include <omp.h>

using namespace dl;

int main() {
  constexpr Index n = 4'000'000;
  const DlArray g = single_(randn(n, 1));
  DlArray w = single_(randn(n, 1)), velocity, m, v, squares;
  // Arrays of the library, so that the copy has the same huge pages.
  const DlArray source = single_(ones(n, 1)), target = single_(zeros(n, 1));
  const float* from = data<float>(source);
  float* to = const_cast<float*>(data<float>(target));
  const auto copy = [&] {
#pragma omp parallel
    {
      const Index threads = omp_get_num_threads(), self = omp_get_thread_num(), begin = n * self / threads,
                  end = n * (self + 1) / threads;
      std::memcpy(to + begin, from + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
    }
    bench::keep(to);
  };
  std::vector<bench::Candidate> all{{"copy", copy},
                                    {"sgdmupdate", [&] { sgdmupdate(w, g, velocity, 1e-6); }},
                                    {"adamupdate", [&] { adamupdate(w, g, m, v, 1000, 1e-6); }},
                                    {"rmspropupdate", [&] { rmspropupdate(w, g, squares, 1e-6); }}};
  bench::measure(all, 21);
  // Arrays touched: the gradient read, parameter and states read and written.
  const double touched[] = {2, 5, 7, 5};
  std::printf("%d threads, %ld parameters\n", omp_get_max_threads(), static_cast<long>(n));
  for (std::size_t k = 0; k < all.size(); ++k)
    std::printf("%-14s %s  %.0f %% of copy bandwidth\n", all[k].name.c_str(), bench::duration(all[k].seconds).c_str(),
                100 * (touched[k] / all[k].seconds) / (touched[0] / all[0].seconds));
}
