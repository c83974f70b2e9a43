#pragma once
// Timing for the benchmarks: the candidates of a comparison take turns, so that a slow moment of the machine hits all of them,
// and each is reported by its median.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace bench {

inline double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Keeps the compiler from dropping the computation of a value.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

struct Candidate {
  std::string name;
  std::function<void()> run;
  double seconds = 0;  // the median of a call
};

/// Measures all candidates in turns; at least `batch` seconds a turn.
inline void measure(std::vector<Candidate>& candidates, int turns = 15, double batch = 0.004) {
  std::vector<long> calls;
  for (Candidate& c : candidates) {
    c.run();
    long n = 1;
    for (;;) {
      const double start = now();
      for (long i = 0; i < n; ++i) c.run();
      const double spent = now() - start;
      if (spent >= batch) break;
      n = std::max(n + 1, std::min(n * 10, static_cast<long>(static_cast<double>(n) * batch * 1.3 / std::max(spent, 1e-9))));
    }
    calls.push_back(n);
  }
  std::vector<std::vector<double>> times(candidates.size());
  for (int turn = 0; turn < turns; ++turn)
    for (std::size_t k = 0; k < candidates.size(); ++k) {
      const double start = now();
      for (long i = 0; i < calls[k]; ++i) candidates[k].run();
      times[k].push_back((now() - start) / static_cast<double>(calls[k]));
    }
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    std::sort(times[k].begin(), times[k].end());
    candidates[k].seconds = times[k][times[k].size() / 2];
  }
}

inline std::string duration(double seconds) {
  char text[32];
  if (seconds < 1e-6)
    std::snprintf(text, sizeof text, "%.1f ns", seconds * 1e9);
  else if (seconds < 1e-3)
    std::snprintf(text, sizeof text, "%.2f us", seconds * 1e6);
  else
    std::snprintf(text, sizeof text, "%.2f ms", seconds * 1e3);
  return text;
}

/// Prints a row: each candidate's time, and how many times the first one's each of the others takes.
inline void report(const std::string& row, const std::vector<Candidate>& candidates) {
  std::printf("%-34s", row.c_str());
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    std::printf("  %s %s", candidates[k].name.c_str(), duration(candidates[k].seconds).c_str());
    if (k) std::printf(" (x%.2f)", candidates[k].seconds / candidates[0].seconds);
  }
  std::printf("\n");
  std::fflush(stdout);
}

inline void compare(const std::string& row, std::vector<Candidate> candidates, int turns = 15) {
  measure(candidates, turns);
  report(row, candidates);
}

/// The largest resident memory of this process so far, in MiB.
inline double peakMemory() {
  rusage use;
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

}  // namespace bench
