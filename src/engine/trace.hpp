#pragma once
#include "core/storage.hpp"

#include <memory>
#include <vector>

namespace dl::engine {

class Backward;

/// What a node knows of its operation: one constant object for each kind of operation.
struct Rule {
  const char* name;
  /// Adds the gradients by the inputs; null where they are zero wherever they exist.
  void (*gradient)(Backward&);
  void (*destroy)(void* parameters);  // null for operations without parameters
  bool sameVariable;                  // the result counts as the input itself in dlgradient
  bool runsUserCode;                  // the gradient may end in an exception of the user's
};

/// One operation that ran on a traced array: the rule, where its inputs came from, what its result looks like and what was kept.
struct alignas(64) Node {
  static constexpr int near = 3;

  // What every walk looks at comes first: a node of numbers is read in its first two cache lines.
  const Rule* rule = nullptr;
  std::uint32_t inputCount = 0;
  std::uint32_t nearInputs[near] = {};  // nodes; 0 for constants
  Type type = Type::Double;
  Device device = Device::Cpu;
  bool released = false;     // what was kept has been given up
  bool keeps = false;        // some array is kept
  bool holds = false;        // `far`, or parameters that must be destroyed
  bool plainScalar = false;  // the result is 1 x 1 without labels; `wholeShape` is not filled then
  std::uint8_t keptNumbers = 0;  // bit i: in place of array i, a number is kept in `nearParameters`, which costs no array
  // Used while a gradient is computed: what has been added up so far, and whether it is wanted at all: marked with the number of the
  // marks that count, which saves wiping old ones away.
  bool hasNumber = false;
  bool negative = false;  // `adjoint` holds the gradient with the other sign; never while something is recorded
  std::uint32_t mark = 0;
  double adjointNumber = 0;  // in place of `adjoint` when that is one number everywhere, while nothing is recorded
  DlArray adjoint;
  void* parameters = nullptr;
  alignas(16) std::byte nearParameters[32];
  DlArray nearKept[near];
  struct Far {
    std::vector<std::uint32_t> inputs;
    std::vector<DlArray> kept;
  };
  std::unique_ptr<Far> far;  // in place of the near ones when there are more
  Shape wholeShape;

  std::uint32_t input(int i) const noexcept { return far || i >= near ? far->inputs[static_cast<std::size_t>(i)] : nearInputs[i]; }
  DlArray& kept(int i) noexcept { return far || i >= near ? far->kept[static_cast<std::size_t>(i)] : nearKept[i]; }
  double keptNumber(int i) const noexcept {
    double number;
    std::memcpy(&number, nearParameters + static_cast<std::size_t>(i) * sizeof number, sizeof number);
    return number;
  }
  void keepNumber(int i, double number) noexcept {
    std::memcpy(nearParameters + static_cast<std::size_t>(i) * sizeof number, &number, sizeof number);
  }
  /// Size and labels of the result.
  const Shape& shape() const noexcept { return plainScalar ? scalarShape : wholeShape; }
  static const Shape scalarShape;
  /// True once anything has been added up.
  bool hasAdjoint() const noexcept { return hasNumber || Storage::get(adjoint); }
  /// What has been added up, as an array, null for nothing; the node keeps it.
  const DlArray& adjointArray();
  void reset() noexcept;
  void release() noexcept;
};

/// A linear program: nodes in the order in which they ran. Opened by dlfeval, one a thread at a time, nested ones stacked.
class Trace {
 public:
  /// Opens a trace inside the current one of this thread; it becomes the current one.
  static Trace* open();
  /// Closes the current trace; its memory is kept for the next one.
  static void close(Trace* trace) noexcept;
  Trace() { arrays_.previous = arrays_.next = &arrays_; }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// The innermost open trace of this thread, or null.
  static Trace* current() noexcept { return current_; }
  Trace* outer() const noexcept { return outer_; }

  Node& operator[](std::uint32_t id) noexcept { return blocks_[id / blockNodes][id % blockNodes]; }
  std::uint32_t last() const noexcept { return count_ - 1; }
  /// A new node; its number is `last()`.
  Node& append() {
    if (count_ == capacity_) [[unlikely]]
      grow();
    Node& node = (*this)[count_++];
    node.rule = &neutral;  // until the node is filled: should that fail, there is nothing to clear away
    node.released = false;
    node.keptNumbers = 0;
    return node;
  }
  /// Ties an array to the last node: it was computed there.
  void own(const DlArray& result) noexcept { own(result, last()); }
  void own(const DlArray& result, std::uint32_t node) noexcept {
    detail::Header* h = Storage::get(result);
    h->node = node;
    h->trace = this;
    h->local = true;
    detail::Link* last = arrays_.previous;
    h->previous = last;
    h->next = &arrays_;
    last->next = arrays_.previous = h;
  }

  /// Unties an array that nobody but its node sees: an ordinary one from then on.
  static void disown(const DlArray& x) noexcept {
    detail::Header* h = Storage::get(x);
    h->previous->next = h->next;
    h->next->previous = h->previous;
    h->previous = h->next = nullptr;
    h->node = 0;
    h->trace = nullptr;
    h->local = false;
  }

  /// A new independent variable with the elements of `x`.
  DlArray leaf(const DlArray& x);

  bool recording = true;
  bool extracted = false;       // a traced value was taken out with extractdata: for error sentences
  bool differentiated = false;  // dlgradient ran without enableHigherDerivatives: for error sentences

  bool walking = false;     // a gradient is being computed
  bool keepsData = false;   // and what nodes keep stays, for another one or until it has ended well
  bool runsUserCode = false;  // some node does
  // While one is: gradients by nodes from this one on are wanted, all of them or those that are marked.
  std::uint32_t firstWanted = 0;
  bool allWanted = false;
  std::uint32_t onTheWay = 2;  // the mark of this walk; one more marks its variables
  bool wants(std::uint32_t id) noexcept { return id >= firstWanted && (allWanted || isOnTheWay((*this)[id])); }
  /// The node, if gradients by it are wanted, else null.
  Node* wanted(std::uint32_t id) noexcept {
    if (id < firstWanted) return nullptr;
    Node& node = (*this)[id];
    return allWanted || isOnTheWay(node) ? &node : nullptr;
  }
  bool isOnTheWay(const Node& node) const noexcept { return (node.mark | 1U) == (onTheWay | 1U); }
  bool isVariable(const Node& node) const noexcept { return node.mark == (onTheWay | 1U); }
  /// What the marks were made for: a walk by the same variables through the same nodes finds them ready.
  struct Marked {
    std::uint32_t first = 0, last = 0, count = 0;
    std::vector<std::uint32_t> variables;
    friend bool operator==(const Marked&, const Marked&) = default;
  };
  Marked marked, toMark;
  std::uint32_t variables = 0;  // nodes that are independent variables

 private:
  static const Rule neutral;
  static constexpr std::uint32_t blockNodes = 128;
  // Nodes that a thread keeps between traces: enough for long loops, not so many that one huge trace pins its memory.
  static constexpr std::size_t keptBlocks = 1024;
  using Block = std::unique_ptr<Node[]>;

  __attribute__((tls_model("initial-exec"))) static constinit thread_local Trace* current_;
  // Closed traces of this thread, linked by `outer_`: a small objective should not pay for a trace's memory on every evaluation.
  __attribute__((tls_model("initial-exec"))) static constinit thread_local Trace* spare_;
  static Trace* fresh();
  void grow();
  void clear() noexcept;

  Trace* outer_ = nullptr;
  std::vector<Block> blocks_;
  std::uint32_t count_ = 0;
  std::uint32_t capacity_ = 0;
  detail::Link arrays_;  // head of the ring of all arrays that belong to this trace
};

/// True when the array belongs to the open trace of this thread and operations on it are to be recorded. A value of an
/// enclosing trace is a constant; one of another thread's is an error.
bool recorded(const Trace* trace, const DlArray& x);

/// Switches recording for a scope.
class Recording {
 public:
  Recording(Trace& trace, bool on) noexcept : trace_(trace), before_(trace.recording) { trace.recording = on; }
  ~Recording() { trace_.recording = before_; }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  Trace& trace_;
  bool before_;
};

}  // namespace dl::engine
