#include <dlarray/train/minibatchqueue.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"
#include "cpu/worker.hpp"
#include "ops/random.hpp"
#include "train/collate.hpp"

#include <dlarray/ops/creation.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <thread>

namespace dl {

using train::Block;
using train::OutputRule;

namespace {

// One pass through the data: in which order, and from which key batches get their random numbers.
struct Pass {
  std::vector<Index> order;
  std::uint64_t key;
  std::atomic<bool> over = false;  // nobody wants its batches any more
};

// What went wrong. Not as a std::exception_ptr where it can be helped: the error is made anew on the thread that reads it.
struct Failure {
  std::string identifier, sentence;
  std::exception_ptr other;
  explicit operator bool() const noexcept { return other || !identifier.empty(); }
};

struct Batch {
  Index number = -1;
  std::vector<DlArray> arrays;
  Failure failure;
};

// What is being read, for error sentences.
struct Place {
  Index batch, first, last;
  Index observation = -1;
  std::string words() const {
    if (observation >= 0) return fmt::format("observation {}", observation);
    return fmt::format("mini-batch {}, observations {} to {}", batch, first, last);
  }
};

constexpr std::string_view identifierStem = "dlarray:";

Failure failureOf(const Place& place) {
  try {
    throw;
  } catch (const Error& e) {
    // Sentences of collation name the observation themselves.
    const bool own = e.identifier().starts_with("dlarray:minibatchqueue:");
    return {e.identifier(), own ? fmt::format("next: {}", e.what()) : fmt::format("next: {}: {}", place.words(), e.what()),
            nullptr};
  } catch (const std::exception& e) {
    return {fmt::format("{}next:read", identifierStem), fmt::format("next: {}: {}", place.words(), e.what()), nullptr};
  } catch (...) {
    return {"", "", std::current_exception()};
  }
}

}  // namespace

struct MiniBatchQueue::State {
  State(const Datastore& source, Index outputs, MiniBatchQueueOptions chosen, std::source_location where);
  ~State() { stop(); }

  void startPass(std::vector<Index> order);
  Batch make(const Pass& now, Index number) const;
  Batch take();
  void stop() noexcept;

  Datastore ds;
  Index numOutputs;  // -1: all there are
  MiniBatchQueueOptions options;
  std::vector<OutputRule> rules;
  OutputRule otherRule;  // of outputs behind those
  Index observations, batches;
  int threadCount = 0;

  // What threads share, guarded by the mutex.
  std::mutex mutex;
  std::condition_variable ready, room;
  std::shared_ptr<Pass> pass;
  Index taken = 0, begun = 0;
  bool stopping = false;
  std::vector<Batch> slots;  // batch i waits in slot i modulo their number
  std::vector<std::thread> threads;

 private:
  void fillArrays(const Pass& now, const std::vector<Index>& which, Place& place, Batch& batch) const;
  void readAhead();
  void startThreads();
  const OutputRule& rule(std::size_t output) const { return output < rules.size() ? rules[output] : otherRule; }
};

namespace {

template <class T>
T entry(const std::vector<T>& list, std::size_t i, T otherwise) {
  return i < list.size() ? T(list[i]) : otherwise;
}

std::vector<Index> inOrder(Index n) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  return order;
}

// How many threads read ahead.
int threadsFor(const MiniBatchQueueOptions& options, const std::source_location& where) {
  const std::string& environment = options.preprocessingEnvironment;
  if (environment != "serial" && environment != "background" && environment != "parallel")
    fail(where, "minibatchqueue:environment",
         "minibatchqueue: preprocessingEnvironment \"{}\" is none of \"serial\", \"background\", \"parallel\"", environment);
  if (options.numThreads > 256 || options.numThreads < -1)
    fail(where, "minibatchqueue:numThreads", "minibatchqueue: numThreads is {}, must be 0 to 256", options.numThreads);
  if (options.prefetch == 0 || options.prefetch < -1)
    fail(where, "minibatchqueue:prefetch", "minibatchqueue: prefetch is {}, must be at least 1", options.prefetch);
  if (options.numThreads >= 0) return static_cast<int>(options.numThreads);
  if (environment == "serial") return 0;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()) - 1, 1, 4);
}

std::vector<OutputRule> rulesOf(const MiniBatchQueueOptions& o, const std::source_location& where) {
  const std::size_t count = std::max({o.outputCast.size(), o.outputAsDlarray.size(), o.miniBatchFormat.size(), o.oneHot.size()});
  std::vector<OutputRule> rules;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string cast = entry<std::string>(o.outputCast, i, "single");
    if (cast != "single" && cast != "double" && cast != "logical")
      fail(where, "minibatchqueue:outputCast", "minibatchqueue: outputCast \"{}\" is none of \"single\", \"double\", \"logical\"",
           cast);
    rules.push_back({detail::typeNamed(cast, where), entry<std::string>(o.miniBatchFormat, i, ""), entry<Index>(o.oneHot, i, 0),
                     entry<bool>(o.outputAsDlarray, i, true)});
    train::checkRule(rules.back(), where);
    if (rules.back().classes > 0 && o.miniBatchFcn.function())
      fail(where, "minibatchqueue:oneHot",
           "minibatchqueue: oneHot is a part of collation; a miniBatchFcn encodes by onehotencode");
  }
  return rules;
}

}  // namespace

MiniBatchQueue::State::State(const Datastore& source, Index outputs, MiniBatchQueueOptions chosen, std::source_location where)
    : ds(source), numOutputs(outputs), options(std::move(chosen)), observations(source.size()) {
  if (options.miniBatchSize < 1)
    fail(where, "minibatchqueue:miniBatchSize", "minibatchqueue: miniBatchSize is {}, must be at least 1", options.miniBatchSize);
  if (options.partialMiniBatch != "return" && options.partialMiniBatch != "discard")
    fail(where, "minibatchqueue:partialMiniBatch",
         "minibatchqueue: partialMiniBatch \"{}\" is neither \"return\" nor \"discard\"", options.partialMiniBatch);
  if (!options.miniBatchFcn.function() && options.miniBatchFcn.word() != "collate")
    fail(where, "minibatchqueue:miniBatchFcn", "minibatchqueue: miniBatchFcn \"{}\" is neither \"collate\" nor a function",
         options.miniBatchFcn.word());
  threadCount = threadsFor(options, where);
  rules = rulesOf(options, where);
  const Index size = options.miniBatchSize;
  batches = observations / size + (options.partialMiniBatch == "return" && observations % size != 0 ? 1 : 0);
  const Index ahead = options.prefetch > 0 ? options.prefetch : std::max<Index>(2 * threadCount, 1);
  slots.resize(static_cast<std::size_t>(std::clamp<Index>(batches, 1, ahead)));
  startPass(inOrder(observations));
}

// Forgets what was read ahead and starts at the first batch.
void MiniBatchQueue::State::startPass(std::vector<Index> order) {
  auto next = std::make_shared<Pass>();
  next->order = std::move(order);
  next->key = drawKey();
  std::vector<Batch> old(slots.size());
  {
    const std::lock_guard lock(mutex);
    if (pass) pass->over = true;
    pass = std::move(next);
    taken = begun = 0;
    slots.swap(old);
  }
  room.notify_all();
}

// A batch; everything that goes wrong in it becomes its failure.
Batch MiniBatchQueue::State::make(const Pass& now, Index number) const {
  const Index first = number * options.miniBatchSize, last = std::min(first + options.miniBatchSize, observations);
  Batch batch;
  batch.number = number;
  Place place{number, first, last - 1};
  try {
    const RandomStream stream(streamOf(now.key, static_cast<std::uint64_t>(number)));
    const std::vector<Index> which(now.order.begin() + first, now.order.begin() + last);
    fillArrays(now, which, place, batch);
  } catch (...) {
    batch.arrays.clear();
    batch.failure = failureOf(place);
  }
  return batch;
}

void MiniBatchQueue::State::fillArrays(const Pass& now, const std::vector<Index>& which, Place& place, Batch& batch) const {
  const auto& function = options.miniBatchFcn.function();
  std::vector<Block> blocks;
  if (function || !train::stack(
                      ds, which, [this](std::size_t variable) { return rule(variable).type; }, blocks)) {
    blocks.clear();
    MiniBatchFunction::Observations variables;
    for (std::size_t k = 0; k < which.size() && !now.over; ++k) {
      place.observation = which[k];
      std::vector<DlArray> observation = ds.source()->read(which[k]);
      if (k == 0) variables.resize(observation.size());
      if (observation.size() != variables.size())
        fail({}, "datastore:variables", "{} variables, the first observation of the batch has {}", observation.size(),
             variables.size());
      for (std::size_t v = 0; v < variables.size(); ++v) variables[v].push_back(std::move(observation[v]));
    }
    place.observation = -1;
    if (now.over) return;
    if (function) {
      batch.arrays = function(variables);
      for (std::size_t v = 0; v < batch.arrays.size(); ++v) batch.arrays[v] = train::finish(batch.arrays[v], rule(v));
    } else {
      for (std::size_t v = 0; v < variables.size(); ++v) blocks.push_back(train::stackArrays(variables[v], rule(v).type, which));
    }
  }
  for (std::size_t v = 0; v < blocks.size() && (numOutputs < 0 || static_cast<Index>(v) < numOutputs); ++v)
    batch.arrays.push_back(train::collate(blocks[v], rule(v), which));
  if (numOutputs < 0) return;
  if (static_cast<Index>(batch.arrays.size()) < numOutputs)
    fail({}, "minibatchqueue:numOutputs", "the queue has {} outputs, the mini-batch {} arrays", numOutputs, batch.arrays.size());
  batch.arrays.resize(static_cast<std::size_t>(numOutputs));
}

// What a thread of the queue does: it takes the next number that has a free slot, makes the batch, puts it there.
void MiniBatchQueue::State::readAhead() {
  cpu::useOneThread();
  std::unique_lock lock(mutex);
  while (true) {
    room.wait(lock, [this] { return stopping || (begun < batches && begun < taken + static_cast<Index>(slots.size())); });
    if (stopping) return;
    const std::shared_ptr<Pass> mine = pass;
    const Index number = begun++;
    lock.unlock();
    Batch batch = make(*mine, number);
    lock.lock();
    if (mine != pass) continue;
    slots[static_cast<std::size_t>(number) % slots.size()] = std::move(batch);
    ready.notify_one();
  }
}

void MiniBatchQueue::State::startThreads() {
  const int wanted = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threadCount), slots.size()));
  try {
    while (static_cast<int>(threads.size()) < wanted) threads.emplace_back([this] { readAhead(); });
  } catch (const std::exception&) {
    // The system has no more threads: those that there are do the work, or none.
    threadCount = static_cast<int>(threads.size());
  }
}

Batch MiniBatchQueue::State::take() {
  if (threadCount > 0 && threads.empty()) startThreads();
  if (threads.empty()) {
    Batch batch = make(*pass, taken);
    ++taken;
    return batch;
  }
  Batch batch;
  {
    std::unique_lock lock(mutex);
    Batch& slot = slots[static_cast<std::size_t>(taken) % slots.size()];
    ready.wait(lock, [&] { return slot.number == taken; });
    batch = std::move(slot);
    slot = {};
    ++taken;
  }
  room.notify_one();
  return batch;
}

void MiniBatchQueue::State::stop() noexcept {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    if (pass) pass->over = true;
  }
  room.notify_all();
  for (std::thread& thread : threads) thread.join();
}

MiniBatchQueue::~MiniBatchQueue() { delete state_; }

std::vector<DlArray> MiniBatchQueue::next(std::source_location where) {
  if (!hasdata(*this))
    fail(where, "next:end", "next: all {} mini-batches were taken; reset or shuffle the queue to begin again", numMiniBatches());
  Batch batch = state_->take();
  if (batch.failure.other) std::rethrow_exception(batch.failure.other);
  if (batch.failure) throw Error(batch.failure.identifier, batch.failure.sentence + lineOf(where));
  return std::move(batch.arrays);
}

Index MiniBatchQueue::numobservations() const noexcept { return state_ ? state_->observations : 0; }
Index MiniBatchQueue::numMiniBatches() const noexcept { return state_ ? state_->batches : 0; }
Index MiniBatchQueue::position() const noexcept { return state_ ? state_->taken : 0; }
const MiniBatchQueueOptions& MiniBatchQueue::options() const noexcept {
  static const MiniBatchQueueOptions none;  // of a queue that was moved away
  return state_ ? state_->options : none;
}
const Datastore& MiniBatchQueue::datastore() const noexcept {
  static const Datastore none;
  return state_ ? state_->ds : none;
}

MiniBatchQueue minibatchqueue(const Datastore& ds, MiniBatchQueueOptions options, std::source_location where) {
  return minibatchqueue(ds, Index{-1}, std::move(options), where);
}

MiniBatchQueue minibatchqueue(const Datastore& ds, Index numOutputs, MiniBatchQueueOptions options, std::source_location where) {
  if (numOutputs < -1 || numOutputs == 0)
    fail(where, "minibatchqueue:numOutputs", "minibatchqueue: {} outputs; a queue has at least one", numOutputs);
  return MiniBatchQueue(new MiniBatchQueue::State(ds, numOutputs, std::move(options), where));
}

bool hasdata(const MiniBatchQueue& mbq) noexcept { return mbq.position() < mbq.numMiniBatches(); }

DlArray next(MiniBatchQueue& mbq, std::source_location where) { return std::get<0>(next<1>(mbq, where)); }

void detail::failOutputs(std::size_t wanted, std::size_t made, std::source_location where) {
  fail(where, "next:outputs", "next: {} outputs are wanted, a mini-batch has {}", wanted, made);
}

void reset(MiniBatchQueue& mbq) {
  if (mbq.state_) mbq.state_->startPass(mbq.state_->pass->order);
}

void shuffle(MiniBatchQueue& mbq) {
  if (!mbq.state_) return;
  const DlArray order = randperm(mbq.numobservations());
  const double* at = Storage::data<double>(order);
  mbq.state_->startPass(std::vector<Index>(at, at + mbq.numobservations()));
}

MiniBatchQueue partition(const MiniBatchQueue& mbq, Index n, Index index, std::source_location where) {
  const Index outputs = mbq.state_ ? mbq.state_->numOutputs : -1;
  return minibatchqueue(partition(mbq.datastore(), n, index, where), outputs, mbq.options(), where);
}

}  // namespace dl
