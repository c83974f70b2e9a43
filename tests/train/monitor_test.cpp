#include "harness/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <sstream>

#include <dlarray/train/monitor.hpp>

using namespace dl;
using dl::test::mistake;

BOOST_AUTO_TEST_CASE(a_monitor_keeps_what_it_is_told) {
  TrainingProgressMonitor monitor =
      trainingProgressMonitor({.metrics = {"TrainingLoss", "ValidationLoss"}, .info = {"Epoch"}, .xLabel = "Iteration"});
  recordMetrics(monitor, 1, {{"TrainingLoss", 0.5}});
  recordMetrics(monitor, 2, {{"TrainingLoss", 0.25}, {"ValidationLoss", 0.75}});
  updateInfo(monitor, {{"Epoch", "1 of 3"}});
  monitor.progress = 50;
  BOOST_TEST_REQUIRE(monitor.metricData("TrainingLoss").size() == 2U);
  BOOST_TEST(monitor.metricData("TrainingLoss")[1].step == 2);
  BOOST_TEST(monitor.metricData("TrainingLoss")[1].value == 0.25);
  BOOST_TEST(monitor.metricData("ValidationLoss").size() == 1U);
  BOOST_TEST(monitor.infoData("Epoch") == "1 of 3");
  BOOST_TEST(monitor.elapsed() >= 0);
  BOOST_TEST(!monitor.stop);
  std::ostringstream out;
  out << monitor;
  BOOST_TEST(out.str() == "Running, 50 %, Epoch 1 of 3, TrainingLoss 0.25, ValidationLoss 0.75\n");
}

BOOST_AUTO_TEST_CASE(groups_and_axes) {
  TrainingProgressMonitor monitor = trainingProgressMonitor({.metrics = {"a", "b", "c"}});
  groupSubPlot(monitor, "Loss", {"a", "b"});
  yscale(monitor, "Loss", "log");
  yscale(monitor, "c", "log");
  BOOST_TEST_REQUIRE(monitor.groups().size() == 2U);
  BOOST_TEST(monitor.groups()[0].yscale == "log");
  BOOST_TEST(monitor.groups()[1].title == "c");
  BOOST_TEST(mistake([&] {
               groupSubPlot(monitor, "again", {"b"});
             }).sentence.starts_with("groupSubPlot: metric \"b\" is in the group \"Loss\" already"));
  BOOST_TEST(mistake([&] { yscale(monitor, "Loss", "ln"); }).sentence.starts_with("yscale: \"ln\" is not known"));
}

BOOST_AUTO_TEST_CASE(mistakes_record_nothing) {
  TrainingProgressMonitor monitor = trainingProgressMonitor({.metrics = {"Loss"}, .info = {"Epoch"}});
  BOOST_TEST(mistake([&] {
               recordMetrics(monitor, 1, {{"Loss", 1}, {"Lost", 2}});
             }).sentence.starts_with("recordMetrics: the monitor has no metric \"Lost\"; it has Loss"));
  BOOST_TEST(monitor.metricData("Loss").empty());
  BOOST_TEST(mistake([&] {
               updateInfo(monitor, {{"Loss", "1"}});
             }).sentence.starts_with("updateInfo: the monitor has no information \"Loss\"; it has Epoch"));
  BOOST_TEST(mistake([] {
               trainingProgressMonitor({.metrics = {"2nd"}});
             }).sentence.starts_with("trainingProgressMonitor: metric \"2nd\" is no name"));
  BOOST_TEST(mistake([] {
               trainingProgressMonitor({.info = {"a", "a"}});
             }).sentence.starts_with("trainingProgressMonitor: information \"a\" is named twice"));
}

BOOST_AUTO_TEST_CASE(numbers_of_every_kind) {
  TrainingProgressMonitor monitor = trainingProgressMonitor({.metrics = {"Loss"}, .info = {"Epoch", "Word"}});
  const DlArray loss = 0.25;
  recordMetrics(monitor, 1, {{"Loss", loss}});
  recordMetrics(monitor, 2, {{"Loss", 1}});
  updateInfo(monitor, {{"Epoch", 3}, {"Word", "warm"}});
  BOOST_TEST(monitor.metricData("Loss")[0].value == 0.25);
  BOOST_TEST(monitor.metricData("Loss")[1].value == 1);
  BOOST_TEST(monitor.infoData("Epoch") == "3");
  BOOST_TEST(monitor.infoData("Word") == "warm");
}
