#pragma once
#include <dlarray/train/datastore.hpp>

#include <tuple>

namespace dl {

/// What makes mini-batches of observations: "collate", which stacks them, or a function of the observations of each variable,
/// `observations[variable][k]`, that gives the arrays of the batch.
class MiniBatchFunction {
 public:
  using Observations = std::vector<std::vector<DlArray>>;
  MiniBatchFunction() = default;
  /// "collate"; other words are refused by `minibatchqueue`.
  MiniBatchFunction(const char* word) : word_(word) {}
  template <class F>
    requires detail::MaybeCallable<F, MiniBatchFunction> && detail::CallableAs<F, std::vector<DlArray>, const Observations&>
  MiniBatchFunction(F&& fun) : function_(std::forward<F>(fun)) {}

  const std::string& word() const noexcept { return word_; }
  const detail::Function<std::vector<DlArray>(const Observations&)>& function() const noexcept { return function_; }

 private:
  std::string word_ = "collate";
  detail::Function<std::vector<DlArray>(const Observations&)> function_;
};

/// Lists have an entry for each output; outputs behind the last entry have the default.
struct MiniBatchQueueOptions {
  /// Observations in a batch.
  Index miniBatchSize = 128;
  /// What happens to a last batch of fewer observations: "return" or "discard".
  std::string partialMiniBatch = "return";
  MiniBatchFunction miniBatchFcn = {};
  /// "serial": `next` reads its batch; "background": other threads read ahead ("parallel" is the same).
  std::string preprocessingEnvironment = "serial";
  /// "single", "double" or "logical".
  std::vector<std::string> outputCast = {};
  /// False: no labels.
  std::vector<bool> outputAsDlarray = {};
  /// The labels; observations are stacked along B.
  std::vector<std::string> miniBatchFormat = {};
  /// How many classes an output's numbers, from 0, are encoded for: each becomes a vector with a 1 in the place of its class,
  /// along C. 0: as it is.
  std::vector<Index> oneHot = {};
  /// Threads that read ahead; 0 for none. By default as preprocessingEnvironment says: none, or one less than there are
  /// processors, 1 to 4.
  Index numThreads = -1;
  /// How many batches may be read ahead, those in work included; by default twice as many as threads.
  Index prefetch = -1;
};

/// Mini-batches of a datastore's observations, in order. It can be moved, not copied. One thread at a time may use it.
class MiniBatchQueue {
 public:
  MiniBatchQueue(MiniBatchQueue&& other) noexcept : state_(detail::taken(other.state_)) {}
  MiniBatchQueue& operator=(MiniBatchQueue&& other) noexcept {
    detail::exchanged(state_, other.state_);
    return *this;
  }
  /// Ends the threads; a read that is going on is waited for.
  ~MiniBatchQueue();

  /// All arrays of the next mini-batch.
  std::vector<DlArray> next(std::source_location where = std::source_location::current());
  /// The number of observations, of mini-batches, and of those taken since the last start.
  Index numobservations() const noexcept;
  Index numMiniBatches() const noexcept;
  Index position() const noexcept;
  const MiniBatchQueueOptions& options() const noexcept;
  const Datastore& datastore() const noexcept;

  struct State;

 private:
  friend MiniBatchQueue minibatchqueue(const Datastore&, Index, MiniBatchQueueOptions, std::source_location);
  friend void reset(MiniBatchQueue&);
  friend void shuffle(MiniBatchQueue&);
  friend MiniBatchQueue partition(const MiniBatchQueue&, Index, Index, std::source_location);
  explicit MiniBatchQueue(State* state) noexcept : state_(state) {}

  State* state_;
};

/// A queue of mini-batches of a datastore. Collation stacks observations of one size along B of the format, in the place where an
/// observation has size 1 or no dimension; without a format rows and numbers along dimension 0, others along a new last
/// dimension. The same batches come whatever the number of threads, also when transforms draw random numbers: each batch has its
/// own stream of them, derived from a number that is drawn from the generator now and at every reset and shuffle. Throws for
/// options that contradict each other. (MATLAB: minibatchqueue)
MiniBatchQueue minibatchqueue(const Datastore& ds, MiniBatchQueueOptions options = {},
                              std::source_location where = std::source_location::current());
/// The same with a number of outputs; further variables are left out.
MiniBatchQueue minibatchqueue(const Datastore& ds, Index numOutputs, MiniBatchQueueOptions options = {},
                              std::source_location where = std::source_location::current());

/// True while there are mini-batches. (MATLAB: hasdata)
bool hasdata(const MiniBatchQueue& mbq) noexcept;
/// The first array of the next mini-batch, `next<2>(mbq)` the first two. When reading a batch failed, throws what was thrown
/// there, with the number of the observation; the next call goes on behind that batch. Throws behind the last batch. (MATLAB:
/// next)
DlArray next(MiniBatchQueue& mbq, std::source_location where = std::source_location::current());
namespace detail {
[[noreturn]] void failOutputs(std::size_t wanted, std::size_t made, std::source_location where);
}
template <std::size_t N>
auto next(MiniBatchQueue& mbq, std::source_location where = std::source_location::current()) {
  std::vector<DlArray> arrays = mbq.next(where);
  if (arrays.size() < N) detail::failOutputs(N, arrays.size(), where);
  const auto first = [&]<std::size_t... k>(std::index_sequence<k...>) { return std::tuple(std::move(arrays[k])...); };
  return first(std::make_index_sequence<N>());
}
/// Goes back to the first mini-batch; the order stays. (MATLAB: reset)
void reset(MiniBatchQueue& mbq);
/// Starts again with the observations in an order that the generator draws. (MATLAB: shuffle)
void shuffle(MiniBatchQueue& mbq);
/// A queue with the same options of part `index`, from 0, of n parts of the datastore, in the datastore's order. (MATLAB:
/// partition)
MiniBatchQueue partition(const MiniBatchQueue& mbq, Index n, Index index,
                         std::source_location where = std::source_location::current());

struct PadsequencesOptions {
  /// "longest", "shortest", or a number: sequences are cut and padded to this length.
  class Length {
   public:
    Length(const char* word) : word_(word) {}
    template <Integer I>
    Length(I number) : number_(static_cast<Index>(number)) {}
    const std::string& word() const noexcept { return word_; }
    Index number() const noexcept { return number_; }

   private:
    std::string word_;
    Index number_ = 0;
  };
  Length length = "longest";
  /// Where sequences are padded and cut: "right", "left", or "both", the odd one on the right.
  std::string direction = "right";
  double paddingValue = 0;
};
/// Sequences that differ in one dimension brought to one length and stacked along a new last dimension, without labels;
/// `padsequences<2>` gives besides a logical array of the same size that is true where there are elements of the sequences.
/// Throws for sequences that differ in other dimensions. (MATLAB: padsequences)
template <std::size_t N = 1>
auto padsequences(const std::vector<DlArray>& sequences, Index dimension, const PadsequencesOptions& options = {},
                  std::source_location where = std::source_location::current());
namespace detail {
template <std::size_t N>
std::tuple<DlArray, DlArray> padsequences(const std::vector<DlArray>& sequences, Index dimension,
                                          const PadsequencesOptions& options, const std::source_location& where);
}
template <std::size_t N>
auto padsequences(const std::vector<DlArray>& sequences, Index dimension, const PadsequencesOptions& options,
                  std::source_location where) {
  static_assert(N == 1 || N == 2, "padsequences has two outputs");
  auto both = detail::padsequences<N>(sequences, dimension, options, where);
  if constexpr (N == 1)
    return std::get<0>(both);
  else
    return both;
}

}  // namespace dl
