#pragma once
#include <dlarray/autodiff.hpp>
#include <dlarray/function.hpp>

namespace dl {

/// Size and labels of the data that a layer is to be initialised for; sizes nobody knows yet, such as the number of observations, are 1.
class DataLayout {
 public:
  DataLayout(Size size, std::string format) : size_(std::move(size)), format_(std::move(format)) {}
  DataLayout(const DlArray& x) : size_(dl::size(x)), format_(dims(x)) {}

  const Size& size() const noexcept { return size_; }
  /// The size of the dimension with this label, 1 without one; throws when several carry it.
  Index size(std::string_view label) const;
  /// The sizes of all dimensions with this label, in order.
  std::vector<Index> sizes(char label) const;
  const std::string& format() const noexcept { return format_; }

 private:
  Size size_;
  std::string format_;
};

/// How many numbers meet in one result of a parameter, and how many results one number enters: what "glorot" and "he" scale by.
struct Fans {
  Index in = 1, out = 1;
};

/// How a parameter starts: by the name of a rule or by a function of its size.
///   "glorot"          uniform on (-b, b), b = sqrt(6 / (in + out))   (Glorot and Bengio 2010)
///   "he"              normal with variance 2 / in                    (He et al. 2015)
///   "orthogonal"      orthonormal columns, or rows of a wide matrix  (Saxe et al. 2014)
///   "narrow-normal"   normal with standard deviation 0.01
///   "zeros", "ones"
///   "unit-forget-gate"  zeros, ones for the forget gate of an LSTM; for two directions one after the other, Fans::out is the rows of one
class Initializer {
 public:
  Initializer(const char* rule) : rule_(rule) {}
  Initializer(std::string rule) : rule_(std::move(rule)) {}
  template <class F>
    requires detail::MaybeCallable<F, Initializer> && detail::CallableAs<F, DlArray, const Size&>
  Initializer(F function) : function_(std::move(function)) {}

  /// "" when a function was given.
  const std::string& rule() const noexcept { return rule_; }
  const detail::Function<DlArray(const Size&)>& function() const noexcept { return function_; }
  /// A start value of single precision. Throws for unknown rules, and when a function answers another size.
  DlArray operator()(const Size& size, Fans fans) const;

 private:
  std::string rule_;
  detail::Function<DlArray(const Size&)> function_;
};

/// What the global rates are multiplied by for one parameter; a learn rate of 0 freezes it.
struct ParameterFactors {
  double learnRate = 1, l2 = 1;
};

/// The learnables and the state of one layer, in the order in which they were declared.
class Parameters {
 public:
  struct Entry {
    std::string name;
    DlArray value;
    ParameterFactors factors;
    bool isState = false;
  };
  // Defined with the library, like those below: every program would compile them otherwise.
  Parameters() noexcept;
  Parameters(const Parameters& other);
  Parameters(Parameters&& other) noexcept;
  Parameters& operator=(const Parameters& other);
  Parameters& operator=(Parameters&& other) noexcept;
  ~Parameters();

  /// Declares a learnable with its start value; one that has a value keeps it. Throws for factors that are negative or not finite.
  void learnable(std::string_view name, DlArray value, ParameterFactors factors = {});
  /// The same, with the start value computed only if it is needed.
  void learnable(std::string_view name, const Initializer& initializer, const Size& size, Fans fans, ParameterFactors factors = {});
  /// Declares a state with its start value; in the new state that `forward` fills, the value that follows.
  void state(std::string_view name, DlArray value);

  /// The value of a learnable or state; throws when there is none of this name.
  const DlArray& operator[](std::string_view name) const;
  bool has(std::string_view name) const noexcept { return find(name) != nullptr; }
  const Entry* find(std::string_view name) const noexcept;
  Entry* find(std::string_view name) noexcept { return const_cast<Entry*>(std::as_const(*this).find(name)); }
  std::vector<Entry>& entries() noexcept { return entries_; }
  const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  std::vector<Entry> entries_;
};

/// A table of a network's learnables or states: a row for each parameter, in the order of the layers. Iterates over its rows.
/// `dlfeval` and `dlgradient` take it as they take any container; rows with learn rate 0 are constants to them, and have an empty array
/// in a table of gradients.
class ParameterTable {
 public:
  struct Row {
    std::string layer;      // "conv1"; a path "block/conv1" inside of nested networks
    std::string parameter;  // "Weights"
    DlArray value;
    ParameterFactors factors;
  };
  ParameterTable() noexcept;
  ParameterTable(const ParameterTable& other);
  ParameterTable(ParameterTable&& other) noexcept;
  ParameterTable& operator=(const ParameterTable& other);
  ParameterTable& operator=(ParameterTable&& other) noexcept;
  ~ParameterTable();

  std::size_t size() const noexcept { return rows_.size(); }
  bool empty() const noexcept { return rows_.empty(); }
  Row& operator[](std::size_t row) noexcept { return rows_[row]; }
  const Row& operator[](std::size_t row) const noexcept { return rows_[row]; }
  auto begin() noexcept { return rows_.begin(); }
  auto end() noexcept { return rows_.end(); }
  auto begin() const noexcept { return rows_.begin(); }
  auto end() const noexcept { return rows_.end(); }
  void push_back(Row row);
  /// The value of a parameter by "layer/parameter" or by both names; throws when there is none.
  DlArray& operator()(std::string_view path);
  const DlArray& operator()(std::string_view path) const;
  DlArray& operator()(std::string_view layer, std::string_view parameter);
  const DlArray& operator()(std::string_view layer, std::string_view parameter) const;

  static void dlarrayFields(ParameterTable& table, const ArrayVisitor& visit) {
    for (Row& row : table.rows_) visit(row.value, row.factors.learnRate);
  }

 private:
  std::vector<Row> rows_;
};
using Learnables = ParameterTable;
using NetworkState = ParameterTable;

}  // namespace dl
