#pragma once
#include <dlarray/function.hpp>
#include <dlarray/types.hpp>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// How the learn rate changes in training. A schedule gives a factor for its step k, which counts iterations or epochs from 0;
// after `numSteps` it has done its work: the next of a list begins with a k of its own, and the last of a list stays where it
// ended.
namespace dl {

namespace detail {
/// A function of the initial learn rate and the epoch, or of the initial learn rate, the iteration and the epoch.
template <class F>
concept LearnRateFunction = CallableAs<F, double, double, Index> || CallableAs<F, double, double, Index, Index>;
/// One schedule: a rule and its numbers, or a function of the user's.
struct ScheduleRule {
  enum class Kind : std::uint8_t { None, Piecewise, Warmup, Polynomial, Exponential, Cosine, Cyclical, Function };
  Kind kind = Kind::None;
  double initialFactor = 1, finalFactor = 1;  // Piecewise, Exponential: what a period multiplies by; Cyclical: the largest factor
  double power = 1;                           // Cosine: how periods grow; Cyclical: the part of a period that rises
  double period = 1, numSteps = 0;            // infinite numSteps: never done
  bool byEpoch = false;
  bool byName = false;  // made from a word, so that numbers given elsewhere count
  Function<double(double, Index, Index)> function = {};
};
}  // namespace detail

/// A schedule of learn rates, or several one after the other: by name ("none", "piecewise", "warmup", "polynomial",
/// "exponential", "cosine", "cyclical"), from a function below, a function of (initial learn rate, epoch) or (initial learn rate,
/// iteration, epoch), or a list of these:
/// `{"warmup", cosineLearnRate()}`. A value that remembers where it stands.
class LearnRateSchedule {
 public:
  LearnRateSchedule() noexcept;
  LearnRateSchedule(const char* name, std::source_location where = std::source_location::current());
  LearnRateSchedule(const std::string& name, std::source_location where = std::source_location::current())
      : LearnRateSchedule(name.c_str(), where) {}
  LearnRateSchedule(std::initializer_list<LearnRateSchedule> list);
  LearnRateSchedule(const std::vector<LearnRateSchedule>& list);
  template <class F>
    requires detail::MaybeCallable<F, LearnRateSchedule> && detail::LearnRateFunction<F>
  LearnRateSchedule(F function) : LearnRateSchedule(ruleOf(std::move(function))) {}
  explicit LearnRateSchedule(detail::ScheduleRule rule);
  LearnRateSchedule(const LearnRateSchedule& other);
  LearnRateSchedule(LearnRateSchedule&& other) noexcept;
  LearnRateSchedule& operator=(const LearnRateSchedule& other);
  LearnRateSchedule& operator=(LearnRateSchedule&& other) noexcept;
  ~LearnRateSchedule();

  /// The learn rate of an iteration and its epoch, both from 1, asked for in the order of training: it moves on to the next of a
  /// list.
  double update(double initialLearnRate, Index iteration, Index epoch);

  /// The same with these numbers for "piecewise" where it was given as a word: `trainingOptions` has options for them.
  LearnRateSchedule withDrops(double factor, double period) const;

  /// Where it stands: which of the list, and the last iteration and epoch before that one began.
  struct Position {
    Index current = 0, iterationsBefore = 0, epochsBefore = 0;
    friend bool operator==(const Position&, const Position&) = default;
  };
  const Position& position() const noexcept { return position_; }
  void setPosition(const Position& position) noexcept { position_ = position; }
  bool empty() const noexcept;

 private:
  template <class F>
  static detail::ScheduleRule ruleOf(F function) {
    detail::ScheduleRule rule{.kind = detail::ScheduleRule::Kind::Function};
    if constexpr (std::is_invocable_r_v<double, const std::decay_t<F>&, double, Index, Index>)
      rule.function = std::move(function);
    else
      rule.function = [f = std::move(function)](double initial, Index, Index epoch) {
        return static_cast<double>(f(initial, epoch));
      };
    return rule;
  }
  void add(detail::ScheduleRule rule);

  std::vector<detail::ScheduleRule> rules_;
  Position position_;
};

struct PiecewiseLearnRateOptions {
  double dropFactor = 0.1;
  double period = 10;
  std::string_view frequencyUnit = "epoch";  // or "iteration"
};
/// Multiplied by `dropFactor` after each period, without end. Throws for numbers that are not positive and other units, as all of
/// these do. (MATLAB: piecewiseLearnRate)
LearnRateSchedule piecewiseLearnRate(const PiecewiseLearnRateOptions& options = {},
                                     std::source_location where = std::source_location::current());

struct WarmupLearnRateOptions {
  double initialFactor = 0.1;
  double finalFactor = 1;
  double numSteps = 5;
  std::string_view frequencyUnit = "iteration";
};
/// Rises, or falls, evenly from the initial to the final factor. (MATLAB: warmupLearnRate)
LearnRateSchedule warmupLearnRate(const WarmupLearnRateOptions& options = {},
                                  std::source_location where = std::source_location::current());

struct PolynomialLearnRateOptions {
  double initialFactor = 1;
  double finalFactor = 0;
  double power = 1;
  double numSteps = 30;
  std::string_view frequencyUnit = "epoch";
};
/// final + (initial - final) (1 - k / numSteps)^power. (MATLAB: polynomialLearnRate)
LearnRateSchedule polynomialLearnRate(const PolynomialLearnRateOptions& options = {},
                                      std::source_location where = std::source_location::current());

struct ExponentialLearnRateOptions {
  double dropFactor = 0.1;
  double period = 1;
  double numSteps = 0;  // 0: without end
  std::string_view frequencyUnit = "epoch";
};
/// dropFactor^(k / period). (MATLAB: exponentialLearnRate)
LearnRateSchedule exponentialLearnRate(const ExponentialLearnRateOptions& options = {},
                                       std::source_location where = std::source_location::current());

struct CosineLearnRateOptions {
  double initialFactor = 1;
  double finalFactor = 0;
  double period = 30;
  double periodGrowthFactor = 1;
  double numSteps = 0;  // 0: without end
  std::string_view frequencyUnit = "epoch";
};
/// final + (initial - final) (1 + cos(pi k / period)) / 2, starting anew after each period, which then is `periodGrowthFactor`
/// times as long, without end unless `numSteps` says so (SGDR; Loshchilov and Hutter 2017). (MATLAB: cosineLearnRate)
LearnRateSchedule cosineLearnRate(const CosineLearnRateOptions& options = {},
                                  std::source_location where = std::source_location::current());

struct CyclicalLearnRateOptions {
  double maxFactor = 10;
  double period = 10;
  double stepRatio = 0.5;
  std::string_view frequencyUnit = "epoch";
};
/// Rises evenly from 1 to `maxFactor` during the part `stepRatio` of each period and falls back during the rest, without end
/// (Smith 2017). (MATLAB: cyclicalLearnRate)
LearnRateSchedule cyclicalLearnRate(const CyclicalLearnRateOptions& options = {},
                                    std::source_location where = std::source_location::current());

}  // namespace dl
