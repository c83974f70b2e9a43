// Learn rates against MATLAB's formulas, step by step.
#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include <dlarray/train/schedule.hpp>

using namespace dl;
using dl::test::mistake;

namespace {

// The rates of the first iterations, with a fixed number of iterations an epoch.
std::vector<double> rates(LearnRateSchedule schedule, int count, int perEpoch = 1, double initial = 1) {
  std::vector<double> all;
  for (int i = 1; i <= count; ++i) all.push_back(schedule.update(initial, i, (i - 1) / perEpoch + 1));
  return all;
}

void close(const std::vector<double>& got, const std::vector<double>& expected) {
  BOOST_TEST_REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(std::abs(got[i] - expected[i]) < 1e-12, "step " << i << ": " << got[i] << " is not " << expected[i]);
}

}  // namespace

BOOST_AUTO_TEST_CASE(none_keeps_the_rate) { close(rates("none", 3, 1, 0.25), {0.25, 0.25, 0.25}); }

BOOST_AUTO_TEST_CASE(piecewise_drops_after_each_period) {
  close(rates(piecewiseLearnRate({.dropFactor = 0.5, .period = 2}), 5), {1, 1, 0.5, 0.5, 0.25});
  close(rates(piecewiseLearnRate({.dropFactor = 0.5, .period = 3, .frequencyUnit = "iteration"}), 4, 100), {1, 1, 1, 0.5});
  const auto byName = rates("piecewise", 25);
  BOOST_TEST(byName[9] == 1);
  BOOST_TEST(std::abs(byName[10] - 0.1) < 1e-15);
  BOOST_TEST(std::abs(byName[20] - 0.01) < 1e-15);
}

BOOST_AUTO_TEST_CASE(warmup_rises_evenly_and_stays) {
  close(rates(warmupLearnRate({.initialFactor = 0, .numSteps = 4}), 6, 100, 2), {0, 0.5, 1, 1.5, 2, 2});
  close(rates("warmup", 6, 100), {0.1, 0.28, 0.46, 0.64, 0.82, 1});
}

BOOST_AUTO_TEST_CASE(polynomial_follows_its_power) {
  std::vector<double> expected;
  for (int k = 0; k < 7; ++k) expected.push_back(0.1 + 0.9 * std::pow(1 - std::min(k, 5) / 5.0, 2));
  close(rates(polynomialLearnRate({.finalFactor = 0.1, .power = 2, .numSteps = 5}), 7), expected);
}

BOOST_AUTO_TEST_CASE(exponential_decays_every_epoch) {
  close(rates("exponential", 4, 2), {1, 1, 0.1, 0.1});
  close(rates(exponentialLearnRate({.dropFactor = 0.25, .period = 2, .frequencyUnit = "iteration"}), 3, 10), {1, 0.5, 0.25});
}

BOOST_AUTO_TEST_CASE(cosine_restarts_with_longer_periods) {
  std::vector<double> expected;
  for (const int period : {2, 4})
    for (int k = 0; k < period; ++k) expected.push_back(0.2 + 0.8 * (1 + std::cos(M_PI * k / period)) / 2);
  expected.push_back(1);
  close(rates(cosineLearnRate({.finalFactor = 0.2, .period = 2, .periodGrowthFactor = 2}), 7), expected);
  // Done after its steps, it stays at the final factor.
  close(rates(cosineLearnRate({.finalFactor = 0.5, .period = 2, .numSteps = 2}), 4), {1, 0.75, 0.5, 0.5});
}

BOOST_AUTO_TEST_CASE(cyclical_rises_and_falls) {
  close(rates(cyclicalLearnRate({.maxFactor = 3, .period = 4}), 6), {1, 2, 3, 2, 1, 2});
  close(rates(cyclicalLearnRate({.maxFactor = 5, .period = 4, .stepRatio = 0.25, .frequencyUnit = "iteration"}), 5, 99),
        {1, 5, 5 - 4.0 / 3, 5 - 8.0 / 3, 1});
}

BOOST_AUTO_TEST_CASE(functions_of_epoch_or_iteration) {
  close(rates([](double initial, Index epoch) { return initial / static_cast<double>(epoch); }, 4, 2), {1, 1, 0.5, 0.5});
  close(rates([](double initial, Index iteration, Index) { return initial * static_cast<double>(iteration); }, 3), {1, 2, 3});
}

BOOST_AUTO_TEST_CASE(counters_of_a_list_start_again) {
  const LearnRateSchedule list{warmupLearnRate({.initialFactor = 0.5, .numSteps = 2}),
                               piecewiseLearnRate({.dropFactor = 0.1, .period = 3, .frequencyUnit = "iteration"})};
  close(rates(list, 7, 100), {0.5, 0.75, 1, 1, 1, 0.1, 0.1});
  // Epochs of the second count from the one in which the first ended.
  const LearnRateSchedule mixed{warmupLearnRate({.initialFactor = 0.5, .numSteps = 2}),
                                piecewiseLearnRate({.dropFactor = 0.1, .period = 1})};
  close(rates(mixed, 6, 3), {0.5, 0.75, 1, 0.1, 0.1, 0.1});
}

BOOST_AUTO_TEST_CASE(a_schedule_goes_on_from_its_position) {
  const LearnRateSchedule list{"warmup", cosineLearnRate({.period = 7, .frequencyUnit = "iteration"})};
  LearnRateSchedule straight = list, first = list;
  for (int i = 1; i <= 8; ++i) first.update(1, i, 1);
  LearnRateSchedule second = list;
  second.setPosition(first.position());
  std::vector<double> got, expected;
  for (int i = 1; i <= 20; ++i) {
    const double rate = straight.update(1, i, 1);
    if (i > 8) expected.push_back(rate), got.push_back(second.update(1, i, 1));
  }
  BOOST_TEST(got == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(mistakes) {
  BOOST_TEST(mistake([] { LearnRateSchedule("cosin"); }).sentence.starts_with("learnRateSchedule: \"cosin\" is not known; use "));
  BOOST_TEST(mistake([] {
               piecewiseLearnRate({.period = 0});
             }).sentence.starts_with("piecewiseLearnRate: period is 0; it must be positive"));
  BOOST_TEST(mistake([] {
               warmupLearnRate({.frequencyUnit = "day"});
             }).sentence.starts_with("warmupLearnRate: frequencyUnit is \"day\"; use \"epoch\" or \"iteration\""));
  BOOST_TEST(mistake([] {
               cyclicalLearnRate({.stepRatio = 1});
             }).sentence.starts_with("cyclicalLearnRate: stepRatio is 1; it must lie between 0 and 1"));
  BOOST_TEST(mistake([] { cosineLearnRate({.periodGrowthFactor = 0.5}); }).identifier == "dlarray:schedule:number");
}
