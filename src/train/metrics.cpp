#include <dlarray/train/metrics.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "train/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dl {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// An array as inner x channels x outer, the elements of a channel apart.
struct ByChannel {
  std::vector<double> values;
  Index inner = 1, channels = 1, outer = 1;
  bool labelled = false;

  explicit ByChannel(const DlArray& x) : values(extractdata<std::vector<double>>(x)) {
    const Shape& shape = Storage::shape(x);
    bool after = false;
    labelled = shape.format.labelled();
    for (std::size_t d = 0; d < shape.size.size(); ++d)
      if (shape.format[d] == Format::C)
        channels = shape.size[d], after = true;
      else
        (after ? outer : inner) *= shape.size[d];
  }
  Index points() const { return inner * outer; }
  double operator()(Index point, Index channel) const {
    return values[static_cast<std::size_t>(point % inner + inner * (channel + channels * (point / inner)))];
  }
};

void checkSizes(const DlArray& y, const DlArray& t, const char* metric, const std::source_location& where) {
  if (numel(y) != numel(t)) fail(where, "metric:size", "{}: predictions are {}, targets {}", metric, describe(y), describe(t));
}

const DlArray& only(const std::vector<DlArray>& arrays, const char* metric, const char* what, const std::source_location& where) {
  if (arrays.size() != 1)
    fail(where, "metric:count", "{}: {} {} given; it works on one, use a function for several", metric, arrays.size(), what);
  return arrays[0];
}

// Predictions and targets of classes, point by point.
struct Classified {
  ByChannel y, t;
  bool oneHot;
  Index classes;

  Classified(const DlArray& predictions, const DlArray& targets, const char* metric, const std::source_location& where)
      : y(predictions), t(targets) {
    if (!y.labelled)
      fail(where, "metric:labels", "{}: predictions of {} have no labels that say which dimension is C", metric,
           describe(predictions));
    if (!t.labelled && numel(targets) == numel(predictions)) t.inner = y.inner, t.channels = y.channels, t.outer = y.outer;
    oneHot = y.channels > 1 && t.channels == y.channels;
    if (t.points() != y.points() || (!oneHot && t.channels != 1))
      fail(where, "metric:size", "{}: predictions are {}, targets {}; they must be of the same size, or numbers of classes",
           metric, describe(predictions), describe(targets));
    classes = std::max<Index>(2, y.channels);
    for (Index p = 0; p < y.points() && !oneHot; ++p)
      if (const double c = t(p, 0); !std::isnan(c) && (c < 0 || c >= static_cast<double>(classes) || c != std::floor(c)))
        fail(where, "metric:class", "{}: target {} is no class; there are {}, numbered from 0", metric, c, classes);
  }
  // The class of a target; -1 for NaN.
  Index target(Index p) const {
    if (oneHot) return std::isnan(t(p, 0)) ? -1 : largest(t, p);
    return std::isnan(t(p, 0)) ? -1 : static_cast<Index>(t(p, 0));
  }
  Index predicted(Index p) const { return y.channels == 1 ? y(p, 0) > 0.5 : largest(y, p); }
  double score(Index p, Index c) const { return y.channels > 1 ? y(p, c) : c == 1 ? y(p, 0) : 1 - y(p, 0); }
  static Index largest(const ByChannel& x, Index p) {
    Index best = 0;
    for (Index c = 1; c < x.channels; ++c)
      if (x(p, c) > x(p, best) || std::isnan(x(p, best))) best = c;
    return best;
  }
};

enum class Average : std::uint8_t { Micro, Macro, Weighted };
Average averageOf(std::string_view word, const char* function, const std::source_location& where) {
  if (word == "micro") return Average::Micro;
  if (word == "macro") return Average::Macro;
  if (word == "weighted") return Average::Weighted;
  fail(where, "metric:average", "{}: averageType is \"{}\"; use \"micro\", \"macro\" or \"weighted\"", function, word);
}

// The mean of what classes have, of those for which there is a number.
template <class Value>
double meanOver(const std::vector<double>& weights, Average average, const Value& value) {
  double sum = 0, total = 0;
  for (std::size_t c = 0; c < weights.size(); ++c) {
    const double v = value(c), w = average == Average::Weighted ? weights[c] : 1;
    if (std::isnan(v)) continue;
    sum += w * v;
    total += w;
  }
  return total > 0 ? sum / total : nan;
}

// What a class's predictions and targets were: from these follow precision, recall and F score.
struct CountRule final : detail::MetricRule {
  enum class Kind : std::uint8_t { Accuracy, Precision, Recall, FScore };
  Kind kind;
  Average average;
  double beta = 1;
  Index top = 1;
  std::vector<double> right, predictions, targets;

  CountRule(Kind k, Average a) : kind(k), average(a) {}
  MetricRule* copy() const override { return new CountRule(*this); }
  void reset() override { right.clear(), predictions.clear(), targets.clear(); }
  bool largerIsBetter() const override { return true; }
  const char* name() const {
    return kind == Kind::Accuracy    ? "accuracy"
           : kind == Kind::Precision ? "precision"
           : kind == Kind::Recall    ? "recall"
                                     : "fscore";
  }
  void add(const std::vector<DlArray>& y, const std::vector<DlArray>& t, const std::source_location& where) override {
    const Classified both(only(y, name(), "outputs", where), only(t, name(), "targets", where), name(), where);
    const auto classes = static_cast<std::size_t>(both.classes);
    if (right.size() < classes) right.resize(classes), predictions.resize(classes), targets.resize(classes);
    for (Index p = 0; p < both.y.points(); ++p) {
      const Index truth = both.target(p);
      if (truth < 0) continue;
      const Index guess = both.predicted(p);
      ++targets[static_cast<std::size_t>(truth)];
      ++predictions[static_cast<std::size_t>(guess)];
      if (guess == truth || (top > 1 && amongTop(both, p, truth))) ++right[static_cast<std::size_t>(truth)];
    }
  }
  bool amongTop(const Classified& both, Index p, Index truth) const {
    Index larger = 0;
    for (Index c = 0; c < both.classes; ++c)
      if (const double s = both.score(p, c), own = both.score(p, truth); s > own || (s == own && c < truth)) ++larger;
    return larger < top;
  }
  double precision(std::size_t c) const { return predictions[c] > 0 ? right[c] / predictions[c] : targets[c] > 0 ? 0 : nan; }
  double recall(std::size_t c) const { return targets[c] > 0 ? right[c] / targets[c] : nan; }
  double score(double p, double r) const { return p + r > 0 ? (1 + beta * beta) * p * r / (beta * beta * p + r) : p + r; }
  double value() const override {
    double all = 0, hits = 0;
    for (std::size_t c = 0; c < targets.size(); ++c) all += targets[c], hits += right[c];
    // Every prediction of a wrong class is one and misses one, so that counted together all of these are the same.
    if (all == 0) return nan;
    const double percent = kind == Kind::Accuracy ? 100 : 1;
    if (average == Average::Micro) return percent * hits / all;
    return percent * meanOver(targets, average, [&](std::size_t c) {
             if (kind == Kind::Precision) return precision(c);
             if (kind == Kind::FScore) return targets[c] > 0 ? score(precision(c), recall(c)) : nan;
             return recall(c);
           });
  }
};

struct AucRule final : detail::MetricRule {
  Average average;
  struct Scored {
    double score;
    bool positive;
  };
  std::vector<std::vector<Scored>> scores;  // by class

  explicit AucRule(Average a) : average(a) {}
  MetricRule* copy() const override { return new AucRule(*this); }
  void reset() override { scores.clear(); }
  bool largerIsBetter() const override { return true; }
  void add(const std::vector<DlArray>& y, const std::vector<DlArray>& t, const std::source_location& where) override {
    const Classified both(only(y, "auc", "outputs", where), only(t, "auc", "targets", where), "auc", where);
    if (scores.size() < static_cast<std::size_t>(both.classes)) scores.resize(static_cast<std::size_t>(both.classes));
    for (Index p = 0; p < both.y.points(); ++p)
      if (const Index truth = both.target(p); truth >= 0)
        for (Index c = 0; c < both.classes; ++c) scores[static_cast<std::size_t>(c)].push_back({both.score(p, c), c == truth});
  }
  // The ranks of the positive ones, ties sharing theirs (Mann and Whitney).
  static double area(std::vector<Scored> all) {
    std::ranges::sort(all, {}, &Scored::score);
    double ranks = 0, positives = 0;
    for (std::size_t first = 0; first < all.size();) {
      std::size_t last = first;
      double here = 0;
      for (; last < all.size() && all[last].score == all[first].score; ++last) here += all[last].positive;
      ranks += here * (static_cast<double>(first + last) + 1) / 2;
      positives += here;
      first = std::max(last, first + 1);
    }
    const double negatives = static_cast<double>(all.size()) - positives;
    return positives > 0 && negatives > 0 ? (ranks - positives * (positives + 1) / 2) / (positives * negatives) : nan;
  }
  double value() const override {
    std::vector<double> weights;
    std::vector<Scored> together;
    for (const auto& one : scores) {
      weights.push_back(static_cast<double>(std::ranges::count_if(one, &Scored::positive)));
      if (average == Average::Micro) together.insert(together.end(), one.begin(), one.end());
    }
    if (average == Average::Micro) return area(together);
    return meanOver(weights, average, [&](std::size_t c) { return area(scores[c]); });
  }
};

// Sums over elements; the spread of the targets by the update of Chan, Golub and LeVeque, which does not cancel.
struct NumberRule final : detail::MetricRule {
  enum class Kind : std::uint8_t { Rmse, Mape, RSquared };
  Kind kind;
  double count = 0, errors = 0, mean = 0, spread = 0;

  explicit NumberRule(Kind k) : kind(k) {}
  MetricRule* copy() const override { return new NumberRule(*this); }
  void reset() override { *this = NumberRule(kind); }
  bool largerIsBetter() const override { return kind == Kind::RSquared; }
  void add(const std::vector<DlArray>& y, const std::vector<DlArray>& t, const std::source_location& where) override {
    const char* name = kind == Kind::Rmse ? "rmse" : kind == Kind::Mape ? "mape" : "rsquared";
    const DlArray &predictions = only(y, name, "outputs", where), &targets = only(t, name, "targets", where);
    checkSizes(predictions, targets, name, where);
    const auto a = extractdata<std::vector<double>>(predictions), b = extractdata<std::vector<double>>(targets);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double error = a[i] - b[i], delta = b[i] - mean;
      ++count;
      errors += kind == Kind::Mape ? std::abs(error / b[i]) : error * error;
      mean += delta / count;
      spread += delta * (b[i] - mean);
    }
  }
  double value() const override {
    if (count == 0) return nan;
    return kind == Kind::Rmse ? std::sqrt(errors / count) : kind == Kind::Mape ? 100 * errors / count : 1 - errors / spread;
  }
};

// The mean of batches, weighted by what each of them is a mean of.
struct FunctionRule final : detail::MetricRule {
  detail::MetricFunction function;
  bool perElement;
  double sum = 0, weight = 0;

  FunctionRule(detail::MetricFunction f, bool each) : function(std::move(f)), perElement(each) {}
  MetricRule* copy() const override { return new FunctionRule(*this); }
  void reset() override { sum = weight = 0; }
  void add(const std::vector<DlArray>& y, const std::vector<DlArray>& t, const std::source_location&) override {
    const auto w = static_cast<double>(perElement ? numel(y.front()) : train::observations(y.front()));
    sum += w * function(y, t);
    weight += w;
  }
  double value() const override { return weight > 0 ? sum / weight : nan; }
};

detail::MetricRule* lossRule(const train::NamedLoss& loss) {
  return new FunctionRule([f = loss.function](const std::vector<DlArray>& y,
                                              const std::vector<DlArray>& t) { return double(f(y.front(), t.front())); },
                          loss.perElement);
}

Metric metricNamed(const std::string& name, const std::source_location& where) {
  if (name == "accuracy") return accuracyMetric();
  if (name == "fscore") return fScoreMetric();
  if (name == "precision") return precisionMetric();
  if (name == "recall") return recallMetric();
  if (name == "auc") return aucMetric();
  if (name == "rmse") return rmseMetric();
  if (name == "mape") return mapeMetric();
  if (name == "rsquared") return rSquaredMetric();
  if (const train::NamedLoss* loss = train::findLoss(name)) return Metric(name, lossRule(*loss));
  fail(where, "metric:name",
       "metric: \"{}\" is not known; use \"accuracy\", \"fscore\", \"precision\", \"recall\", \"auc\", \"rmse\", \"mape\", "
       "\"rsquared\", {} or a function",
       name, train::lossNames());
}

Metric countMetric(CountRule::Kind kind, const std::string& name, std::string_view average, const char* function,
                   const std::source_location& where, double beta = 1, Index top = 1) {
  auto rule = CountRule(kind, averageOf(average, function, where));
  rule.beta = beta;
  rule.top = top;
  return Metric(name, rule.copy());
}

}  // namespace

Metric::Metric(const char* name, std::source_location where) : Metric(metricNamed(name, where)) {}
Metric::Metric(const std::string& name, std::source_location where) : Metric(name.c_str(), where) {}
Metric::Metric(std::string name, detail::MetricFunction function)
    : name_(std::move(name)), rule_(new FunctionRule(std::move(function), false)) {}
Metric::Metric(const Metric& other) : name_(other.name_), rule_(other.rule_ ? other.rule_->copy() : nullptr) {}
Metric::Metric(Metric&& other) noexcept : name_(std::move(other.name_)), rule_(std::exchange(other.rule_, nullptr)) {}
Metric& Metric::operator=(Metric other) noexcept {
  std::swap(name_, other.name_);
  std::swap(rule_, other.rule_);
  return *this;
}
Metric::~Metric() { delete rule_; }

void Metric::accumulate(const DlArray& predictions, const DlArray& targets, std::source_location where) {
  rule_->add({predictions}, {targets}, where);
}
void Metric::accumulate(const std::vector<DlArray>& predictions, const std::vector<DlArray>& targets,
                        std::source_location where) {
  rule_->add(predictions, targets, where);
}

Metric accuracyMetric(const AccuracyMetricOptions& o, std::source_location where) {
  if (o.numTopKClasses < 1)
    fail(where, "metric:top", "accuracyMetric: numTopKClasses is {}; it must be at least 1", o.numTopKClasses);
  return countMetric(CountRule::Kind::Accuracy, o.name, o.averageType, "accuracyMetric", where, 1, o.numTopKClasses);
}
Metric precisionMetric(const PrecisionMetricOptions& o, std::source_location where) {
  return countMetric(CountRule::Kind::Precision, o.name, o.averageType, "precisionMetric", where);
}
Metric recallMetric(const RecallMetricOptions& o, std::source_location where) {
  return countMetric(CountRule::Kind::Recall, o.name, o.averageType, "recallMetric", where);
}
Metric fScoreMetric(const FScoreMetricOptions& o, std::source_location where) {
  if (!(o.beta > 0)) fail(where, "metric:beta", "fScoreMetric: beta is {}; it must be positive", o.beta);
  return countMetric(CountRule::Kind::FScore, o.name, o.averageType, "fScoreMetric", where, o.beta);
}
Metric aucMetric(const AucMetricOptions& o, std::source_location where) {
  return Metric(o.name, new AucRule(averageOf(o.averageType, "aucMetric", where)));
}
Metric rmseMetric(const RmseMetricOptions& o) { return Metric(o.name, new NumberRule(NumberRule::Kind::Rmse)); }
Metric mapeMetric(const MapeMetricOptions& o) { return Metric(o.name, new NumberRule(NumberRule::Kind::Mape)); }
Metric rSquaredMetric(const RSquaredMetricOptions& o) { return Metric(o.name, new NumberRule(NumberRule::Kind::RSquared)); }

}  // namespace dl
