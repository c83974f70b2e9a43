#pragma once
#include <dlarray/function.hpp>
#include <dlarray/nn/embedding.hpp>
#include <tuple>

// How good predictions are. A metric is shown one batch after the other and answers as if it had been shown all data at once.
namespace dl {

namespace detail {
/// Gathers what a metric needs of each batch.
struct MetricRule {
  MetricRule() = default;
  MetricRule(const MetricRule&) = default;
  MetricRule& operator=(const MetricRule&) = default;
  virtual ~MetricRule() = default;
  virtual MetricRule* copy() const = 0;
  virtual void reset() = 0;
  virtual void add(const std::vector<DlArray>& y, const std::vector<DlArray>& t, const std::source_location& where) = 0;
  virtual double value() const = 0;
  /// True for metrics that are better when they are larger.
  virtual bool largerIsBetter() const { return false; }
};
using MetricFunction = Function<double(const std::vector<DlArray>&, const std::vector<DlArray>&)>;
/// Functions of predictions and targets of one output, and of those of several.
template <class F>
concept PairMetric = std::is_invocable_v<const std::decay_t<F>&, const DlArray&, const DlArray&>;
template <class F>
concept ListMetric =
    !PairMetric<F> && std::is_invocable_v<const std::decay_t<F>&, const std::vector<DlArray>&, const std::vector<DlArray>&>;
}  // namespace detail

/// A metric, with what it has seen. Made from
///   "accuracy" "fscore" "precision" "recall" "auc"   of classes
///   "rmse" "mape" "rsquared"                         of numbers
///   the name of a loss of `trainnet`                 "crossentropy", "mse", ...
///   a function of predictions and targets, or of vectors of them for networks with several outputs; of batches the mean is
///   taken, weighted by their observations
///   accuracyMetric({...}) and its kin
/// A value: copies go their own ways.
class Metric {
 public:
  Metric(const char* name, std::source_location where = std::source_location::current());
  Metric(const std::string& name, std::source_location where = std::source_location::current());
  template <class F>
    requires detail::MaybeCallable<F, Metric> && detail::PairMetric<F>
  Metric(F function, std::string name = "Metric")
      : Metric(std::move(name),
               detail::MetricFunction([f = std::move(function)](const std::vector<DlArray>& y, const std::vector<DlArray>& t) {
                 return double(DlArray(f(y.front(), t.front())));
               })) {}
  template <class F>
    requires detail::MaybeCallable<F, Metric> && detail::ListMetric<F>
  Metric(F function, std::string name = "Metric")
      : Metric(std::move(name),
               detail::MetricFunction([f = std::move(function)](const std::vector<DlArray>& y, const std::vector<DlArray>& t) {
                 return double(DlArray(f(y, t)));
               })) {}
  Metric(std::string name, detail::MetricRule* rule) noexcept : name_(std::move(name)), rule_(rule) {}
  Metric(const Metric& other);
  Metric(Metric&& other) noexcept;
  Metric& operator=(Metric other) noexcept;
  ~Metric();

  /// What its column is called: "Accuracy".
  const std::string& name() const noexcept { return name_; }
  void reset() { rule_->reset(); }
  /// Takes a batch in: labelled predictions, targets with the same labels or of the same size. Targets of classes are one-hot, or
  /// numbers of classes from 0 where predictions have several channels and targets one or none. Throws for sizes that do not fit.
  void accumulate(const DlArray& predictions, const DlArray& targets,
                  std::source_location where = std::source_location::current());
  void accumulate(const std::vector<DlArray>& predictions, const std::vector<DlArray>& targets,
                  std::source_location where = std::source_location::current());
  /// The metric of all that it was shown since it was made or reset; NaN of nothing.
  double value() const { return rule_->value(); }
  bool largerIsBetter() const { return rule_->largerIsBetter(); }

 private:
  Metric(std::string name, detail::MetricFunction function);

  std::string name_;
  detail::MetricRule* rule_;
};

struct AccuracyMetricOptions {
  std::string name = "Accuracy";
  Index numTopKClasses = 1;
  std::string_view averageType = "micro";
};
/// The percentage of predictions whose largest channel, or one of the `numTopKClasses` largest, is the target's class; with
/// "macro" the mean of the percentages of the classes. Predictions with one channel are probabilities of class 1 and count as it
/// above 0.5. (MATLAB: accuracyMetric)
Metric accuracyMetric(const AccuracyMetricOptions& options = {}, std::source_location where = std::source_location::current());

struct PrecisionMetricOptions {
  std::string name = "Precision";
  std::string_view averageType =
      "macro";  // mean over classes; or "micro", all classes counted together; or "weighted" by targets
};
/// Of the predictions of a class, the part that is right; 0 for a class that is never predicted. (MATLAB: precisionMetric)
Metric precisionMetric(const PrecisionMetricOptions& options = {}, std::source_location where = std::source_location::current());
struct RecallMetricOptions {
  std::string name = "Recall";
  std::string_view averageType = "macro";
};
/// Of the targets of a class, the part that is found; classes without targets do not count in means. (MATLAB: recallMetric)
Metric recallMetric(const RecallMetricOptions& options = {}, std::source_location where = std::source_location::current());
struct FScoreMetricOptions {
  std::string name = "FScore";
  double beta = 1;
  std::string_view averageType = "macro";
};
/// (1 + beta^2) precision recall / (beta^2 precision + recall). (MATLAB: fScoreMetric)
Metric fScoreMetric(const FScoreMetricOptions& options = {}, std::source_location where = std::source_location::current());
struct AucMetricOptions {
  std::string name = "AUC";
  std::string_view averageType = "macro";
};
/// The area under the ROC curve: the chance that a target of a class gets a higher score for it than one of other classes, ties
/// half. Keeps all scores. (MATLAB: aucMetric)
Metric aucMetric(const AucMetricOptions& options = {}, std::source_location where = std::source_location::current());

struct RmseMetricOptions {
  std::string name = "RMSE";
};
/// The root of the mean of squared differences. (MATLAB: rmseMetric)
Metric rmseMetric(const RmseMetricOptions& options = {});
struct MapeMetricOptions {
  std::string name = "MAPE";
};
/// The mean of absolute differences in percent of the targets. (MATLAB: mapeMetric)
Metric mapeMetric(const MapeMetricOptions& options = {});
struct RSquaredMetricOptions {
  std::string name = "RSquared";
};
/// 1 - sum of (y - t)^2 / sum of (t - mean of all t)^2. (MATLAB: rSquaredMetric)
Metric rSquaredMetric(const RSquaredMetricOptions& options = {});

struct ConfusionmatOptions {
  ClassNames order = {};
};
/// How often predictions of class j met targets of class i, in row i and column j. Classes are in ascending order, or in that of
/// `.order`; `auto [C, order] = confusionmat<2>(...)` gives it too. NaN and words or numbers that `.order` lacks do not count.
/// Throws for lists of different lengths. (MATLAB: confusionmat)
DlArray confusionmat(const DlArray& targets, const DlArray& predictions, const ConfusionmatOptions& options = {},
                     std::source_location where = std::source_location::current());
DlArray confusionmat(const std::vector<std::string>& targets, const std::vector<std::string>& predictions,
                     const ConfusionmatOptions& options = {}, std::source_location where = std::source_location::current());
namespace detail {
template <int n>
std::tuple<DlArray, DlArray> confusion(const DlArray& targets, const DlArray& predictions, const ConfusionmatOptions& options,
                                       const std::source_location& where);
template <int n>
std::tuple<DlArray, std::vector<std::string>> confusion(const std::vector<std::string>& targets,
                                                        const std::vector<std::string>& predictions,
                                                        const ConfusionmatOptions& options, const std::source_location& where);
template <int n>
std::tuple<DlArray, DlArray> labelsOf(const Operand& scores, const DlArray& classes, const Dimensions& dimension);
template <int n>
std::tuple<std::vector<std::string>, DlArray> labelsOf(const Operand& scores, const std::vector<std::string>& classes,
                                                       const Dimensions& dimension);
}  // namespace detail
template <int n>
auto confusionmat(const DlArray& targets, const DlArray& predictions, const ConfusionmatOptions& options = {},
                  std::source_location where = std::source_location::current()) {
  static_assert(n == 2, "confusionmat has two outputs");
  return detail::confusion<n>(targets, predictions, options, where);
}
template <int n>
auto confusionmat(const std::vector<std::string>& targets, const std::vector<std::string>& predictions,
                  const ConfusionmatOptions& options = {}, std::source_location where = std::source_location::current()) {
  static_assert(n == 2, "confusionmat has two outputs");
  return detail::confusion<n>(targets, predictions, options, where);
}

/// The class of the largest score along C, along the dimension given, or along dimension 1 of N x classes; with `scores2label<2>`
/// also these scores. Classes are numbers or words, one for each score. Throws for another number of classes. (MATLAB:
/// scores2label)
DlArray scores2label(Operand scores, const DlArray& classNames, const Dimensions& dimension = {});
std::vector<std::string> scores2label(Operand scores, const std::vector<std::string>& classNames,
                                      const Dimensions& dimension = {});
inline DlArray scores2label(Operand scores, std::initializer_list<detail::AnyNumber> classNames,
                            const Dimensions& dimension = {}) {
  return scores2label(scores, detail::classList(classNames), dimension);
}
template <int n>
auto scores2label(Operand scores, const DlArray& classNames, const Dimensions& dimension = {}) {
  static_assert(n == 2, "scores2label has two outputs");
  return detail::labelsOf<n>(scores, classNames, dimension);
}
template <int n>
auto scores2label(Operand scores, const std::vector<std::string>& classNames, const Dimensions& dimension = {}) {
  static_assert(n == 2, "scores2label has two outputs");
  return detail::labelsOf<n>(scores, classNames, dimension);
}
template <int n>
auto scores2label(Operand scores, std::initializer_list<detail::AnyNumber> classNames, const Dimensions& dimension = {}) {
  static_assert(n == 2, "scores2label has two outputs");
  return detail::labelsOf<n>(scores, detail::classList(classNames), dimension);
}

}  // namespace dl
