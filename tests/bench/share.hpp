#pragma once
// Shares of the copy bandwidth: a function and a memcpy of as many bytes take turns of about a millisecond, and the fastest turn
// of each counts, so that what else the machine does hardly matters. The copy uses as many threads as the function may.
#include "onednn.hpp"
#include "threads.hpp"

#include <cstring>

namespace bench {

struct Share {
  double seconds, share;
};

class CopyShare {
 public:
  explicit CopyShare(std::size_t bytes) : from_(bytes, 1), to_(bytes) {}

  /// The time of f, and the share of it that copies of `copies` arrays would take.
  template <class F>
  Share of(F&& f, double copies) {
    const auto copy = [&] { copyAll(); };
    const long copyCalls = callsOf(copy), calls = callsOf(f);
    double best = timeOf(f, calls);
    for (int turn = 0; turn < 40; ++turn) {
      copy_ = std::min(copy_, timeOf(copy, copyCalls));
      best = std::min(best, timeOf(f, calls));
    }
    return {best, copies * copy_ / best};
  }
  double copySeconds() const { return copy_; }
  /// The time of the fastest of several; 0 when there is none.
  double fastest(const std::vector<std::function<void()>>& candidates) {
    double best = 0;
    for (const auto& run : candidates)
      if (const double seconds = of(run, 1).seconds; best == 0 || seconds < best) best = seconds;
    return best;
  }

 private:
  void copyAll() {
    constexpr std::size_t worthAThread = std::size_t{1} << 18;  // bytes
    if (from_.size() < worthAThread)
      std::memcpy(to_.data(), from_.data(), from_.size());
    else
      copyInParallel(from_.data(), to_.data(), from_.size());
    keep(to_.data());
  }
  template <class F>
  static double timeOf(F&& f, long calls) {
    const double start = now();
    for (long i = 0; i < calls; ++i) f();
    return (now() - start) / static_cast<double>(calls);
  }
  template <class F>
  static long callsOf(F&& f) {
    f();
    return std::max(1L, static_cast<long>(1e-3 / std::max(timeOf(f, 3), 1e-9)));
  }

  std::vector<char> from_, to_;
  double copy_ = 1e9;
};

/// How the rows to run begin, their name and size; all by default.
inline std::string& wantedRows() {
  static std::string beginning;
  return beginning;
}

/// How many copies the memory amounts to that a function must touch, forward and forward + backward.
struct Copies {
  double forward = 1, both = 2.5;
};

/// A row for a function forward and forward + backward.
template <class Forward, class Both>
void reportShares(const char* name, const char* size, std::size_t bytes, Forward&& forward, Both&& both, const Peer& peer = {},
                  Copies copies = {}) {
  if (!(std::string(name) + " " + size).starts_with(wantedRows())) return;
  CopyShare copy(bytes);
  const Share f = copy.of(forward, copies.forward), b = copy.of(both, copies.both);
  const double peerForward = copy.fastest(peer.forward), peerBoth = copy.fastest(peer.both);
  std::printf("%-18s %-18s copy %9s  forward %9s %4.0f %%  forward + backward %9s %4.0f %%%s%s\n", name, size,
              duration(copy.copySeconds()).c_str(), duration(f.seconds).c_str(), 100 * f.share, duration(b.seconds).c_str(),
              100 * b.share,
              besideMemory(f.seconds, b.seconds, 2 * static_cast<double>(bytes) * copies.forward,
                           2 * static_cast<double>(bytes) * copies.both)
                  .c_str(),
              besidePeer(f.seconds, b.seconds, peerForward, peerBoth).c_str());
  std::fflush(stdout);
}

}  // namespace bench
