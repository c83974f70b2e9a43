#include <dlarray/train/schedule.hpp>

#include "core/fail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace dl {

namespace {

using detail::ScheduleRule;
using Kind = ScheduleRule::Kind;

constexpr double forever = std::numeric_limits<double>::infinity();

// The factor of a rule at its step k >= 0; past the end of the rule, that of its end.
double factorOf(const ScheduleRule& r, double k) {
  k = std::min(k, r.numSteps);
  const double range = r.initialFactor - r.finalFactor;
  switch (r.kind) {
    case Kind::Piecewise:
      return std::pow(r.initialFactor, std::floor(k / r.period));
    case Kind::Exponential:
      return std::pow(r.initialFactor, k / r.period);
    case Kind::Warmup:
    case Kind::Polynomial:
      return r.finalFactor + range * std::pow(1 - k / r.numSteps, r.power);
    case Kind::Cosine: {
      double period = r.period;
      // The end of the last period belongs to it, so that a schedule that is done stays at the final factor.
      while (k >= period && k < r.numSteps) {
        k -= period;
        period *= r.power;
      }
      return r.finalFactor + range * (1 + std::cos(std::numbers::pi * std::min(k, period) / period)) / 2;
    }
    case Kind::Cyclical: {
      const double part = std::fmod(k, r.period) / r.period;
      const double height = part < r.power ? part / r.power : (1 - part) / (1 - r.power);
      return 1 + (r.finalFactor - 1) * height;
    }
    default:
      return 1;
  }
}

bool unitIsEpoch(std::string_view unit, const char* function, const std::source_location& where) {
  if (unit != "epoch" && unit != "iteration")
    fail(where, "schedule:unit", "{}: frequencyUnit is \"{}\"; use \"epoch\" or \"iteration\"", function, unit);
  return unit == "epoch";
}

void positive(double value, const char* member, const char* function, const std::source_location& where) {
  if (!(value > 0)) fail(where, "schedule:number", "{}: {} is {}; it must be positive", function, member, value);
}

void notNegative(double value, const char* member, const char* function, const std::source_location& where) {
  if (!(value >= 0)) fail(where, "schedule:number", "{}: {} is {}; it must not be negative", function, member, value);
}

LearnRateSchedule named(std::string_view name, const std::source_location& where) {
  if (name == "none") return {};
  if (name == "piecewise") return piecewiseLearnRate();
  if (name == "warmup") return warmupLearnRate();
  if (name == "polynomial") return polynomialLearnRate();
  if (name == "exponential") return exponentialLearnRate();
  if (name == "cosine") return cosineLearnRate();
  if (name == "cyclical") return cyclicalLearnRate();
  fail(where, "schedule:name",
       "learnRateSchedule: \"{}\" is not known; use \"none\", \"piecewise\", \"warmup\", \"polynomial\", \"exponential\", "
       "\"cosine\", \"cyclical\", one of the functions of these names, a function or a list",
       name);
}

}  // namespace

LearnRateSchedule::LearnRateSchedule() noexcept = default;
LearnRateSchedule::LearnRateSchedule(ScheduleRule rule) { add(std::move(rule)); }
LearnRateSchedule::LearnRateSchedule(const char* name, std::source_location where) : LearnRateSchedule(named(name, where)) {
  for (ScheduleRule& rule : rules_) rule.byName = true;
}
LearnRateSchedule::LearnRateSchedule(std::initializer_list<LearnRateSchedule> list) {
  for (const LearnRateSchedule& each : list)
    for (const ScheduleRule& rule : each.rules_) add(rule);
}
LearnRateSchedule::LearnRateSchedule(const std::vector<LearnRateSchedule>& list) {
  for (const LearnRateSchedule& each : list)
    for (const ScheduleRule& rule : each.rules_) add(rule);
}
LearnRateSchedule::LearnRateSchedule(const LearnRateSchedule& other) = default;
LearnRateSchedule::LearnRateSchedule(LearnRateSchedule&& other) noexcept = default;
LearnRateSchedule& LearnRateSchedule::operator=(const LearnRateSchedule& other) = default;
LearnRateSchedule& LearnRateSchedule::operator=(LearnRateSchedule&& other) noexcept = default;
LearnRateSchedule::~LearnRateSchedule() = default;

bool LearnRateSchedule::empty() const noexcept { return rules_.empty(); }
void LearnRateSchedule::add(ScheduleRule rule) { rules_.push_back(std::move(rule)); }

double LearnRateSchedule::update(double initialLearnRate, Index iteration, Index epoch) {
  if (rules_.empty()) return initialLearnRate;
  position_.current = std::clamp<Index>(position_.current, 0, static_cast<Index>(rules_.size()) - 1);
  const auto stepOf = [&](const ScheduleRule& rule) {
    return static_cast<double>(rule.byEpoch ? epoch - position_.epochsBefore : iteration - position_.iterationsBefore) - 1;
  };
  while (position_.current + 1 < static_cast<Index>(rules_.size()) &&
         stepOf(rules_[static_cast<std::size_t>(position_.current)]) >=
             rules_[static_cast<std::size_t>(position_.current)].numSteps)
    position_ = {position_.current + 1, iteration - 1, epoch - 1};
  const ScheduleRule& rule = rules_[static_cast<std::size_t>(position_.current)];
  if (rule.kind == Kind::Function)
    return rule.function(initialLearnRate, iteration - position_.iterationsBefore, epoch - position_.epochsBefore);
  return initialLearnRate * factorOf(rule, std::max(0.0, stepOf(rule)));
}

LearnRateSchedule LearnRateSchedule::withDrops(double factor, double period) const {
  LearnRateSchedule other = *this;
  for (ScheduleRule& rule : other.rules_)
    if (rule.kind == Kind::Piecewise && rule.byName) rule.initialFactor = factor, rule.period = period;
  return other;
}

LearnRateSchedule piecewiseLearnRate(const PiecewiseLearnRateOptions& o, std::source_location where) {
  const char* function = "piecewiseLearnRate";
  positive(o.dropFactor, "dropFactor", function, where);
  positive(o.period, "period", function, where);
  return LearnRateSchedule(ScheduleRule{.kind = Kind::Piecewise,
                                        .initialFactor = o.dropFactor,
                                        .period = o.period,
                                        .numSteps = forever,
                                        .byEpoch = unitIsEpoch(o.frequencyUnit, function, where)});
}

LearnRateSchedule warmupLearnRate(const WarmupLearnRateOptions& o, std::source_location where) {
  const char* function = "warmupLearnRate";
  notNegative(o.initialFactor, "initialFactor", function, where);
  notNegative(o.finalFactor, "finalFactor", function, where);
  positive(o.numSteps, "numSteps", function, where);
  return LearnRateSchedule(ScheduleRule{.kind = Kind::Warmup,
                                        .initialFactor = o.initialFactor,
                                        .finalFactor = o.finalFactor,
                                        .numSteps = o.numSteps,
                                        .byEpoch = unitIsEpoch(o.frequencyUnit, function, where)});
}

LearnRateSchedule polynomialLearnRate(const PolynomialLearnRateOptions& o, std::source_location where) {
  const char* function = "polynomialLearnRate";
  notNegative(o.initialFactor, "initialFactor", function, where);
  notNegative(o.finalFactor, "finalFactor", function, where);
  positive(o.power, "power", function, where);
  positive(o.numSteps, "numSteps", function, where);
  return LearnRateSchedule(ScheduleRule{.kind = Kind::Polynomial,
                                        .initialFactor = o.initialFactor,
                                        .finalFactor = o.finalFactor,
                                        .power = o.power,
                                        .numSteps = o.numSteps,
                                        .byEpoch = unitIsEpoch(o.frequencyUnit, function, where)});
}

LearnRateSchedule exponentialLearnRate(const ExponentialLearnRateOptions& o, std::source_location where) {
  const char* function = "exponentialLearnRate";
  positive(o.dropFactor, "dropFactor", function, where);
  positive(o.period, "period", function, where);
  notNegative(o.numSteps, "numSteps", function, where);
  return LearnRateSchedule(ScheduleRule{.kind = Kind::Exponential,
                                        .initialFactor = o.dropFactor,
                                        .period = o.period,
                                        .numSteps = o.numSteps > 0 ? o.numSteps : forever,
                                        .byEpoch = unitIsEpoch(o.frequencyUnit, function, where)});
}

LearnRateSchedule cosineLearnRate(const CosineLearnRateOptions& o, std::source_location where) {
  const char* function = "cosineLearnRate";
  notNegative(o.initialFactor, "initialFactor", function, where);
  notNegative(o.finalFactor, "finalFactor", function, where);
  positive(o.period, "period", function, where);
  if (!(o.periodGrowthFactor >= 1))
    fail(where, "schedule:number", "{}: periodGrowthFactor is {}; it must be at least 1", function, o.periodGrowthFactor);
  notNegative(o.numSteps, "numSteps", function, where);
  return LearnRateSchedule(ScheduleRule{.kind = Kind::Cosine,
                                        .initialFactor = o.initialFactor,
                                        .finalFactor = o.finalFactor,
                                        .power = o.periodGrowthFactor,
                                        .period = o.period,
                                        .numSteps = o.numSteps > 0 ? o.numSteps : forever,
                                        .byEpoch = unitIsEpoch(o.frequencyUnit, function, where)});
}

LearnRateSchedule cyclicalLearnRate(const CyclicalLearnRateOptions& o, std::source_location where) {
  const char* function = "cyclicalLearnRate";
  positive(o.maxFactor, "maxFactor", function, where);
  positive(o.period, "period", function, where);
  if (!(o.stepRatio > 0 && o.stepRatio < 1))
    fail(where, "schedule:number", "{}: stepRatio is {}; it must lie between 0 and 1", function, o.stepRatio);
  return LearnRateSchedule(ScheduleRule{.kind = Kind::Cyclical,
                                        .finalFactor = o.maxFactor,
                                        .power = o.stepRatio,
                                        .period = o.period,
                                        .numSteps = forever,
                                        .byEpoch = unitIsEpoch(o.frequencyUnit, function, where)});
}

}  // namespace dl
