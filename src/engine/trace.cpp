#include "engine/trace.hpp"

#include "core/fail.hpp"

#include <utility>

namespace dl::engine {

constinit thread_local Trace* Trace::current_ = nullptr;
constinit thread_local Trace* Trace::spare_ = nullptr;
const Shape Node::scalarShape{Size::matrix(1, 1), {}};
const Rule Trace::neutral{"variable", nullptr, nullptr, false, false};

void Node::release() noexcept {
  released = true;
  if (!keeps) return;
  keeps = false;
  for (DlArray& x : nearKept)
    if (Storage::get(x)) x = DlArray();
  if (far) far->kept.assign(far->kept.size(), DlArray());
}

void Node::reset() noexcept {
  if (keeps) release();
  if (!holds) return;
  holds = false;
  far.reset();
  if (rule->destroy) rule->destroy(parameters);
}

Trace* Trace::fresh() {
  struct ThreadEnd {
    ~ThreadEnd() {
      while (spare_) delete std::exchange(spare_, spare_->outer_);
    }
  };
  thread_local ThreadEnd end;
  (void)end;
  return new Trace;
}

Trace* Trace::open() {
  Trace* trace = spare_;
  if (trace)
    spare_ = trace->outer_;
  else
    trace = fresh();
  std::unique_ptr<Trace> owned(trace);
  trace->append().inputCount = 0;  // number 0 stands for constants
  trace->outer_ = current_;
  trace->recording = true;
  trace->extracted = trace->differentiated = trace->walking = trace->runsUserCode = false;
  trace->variables = 0;
  return current_ = owned.release();
}

void Trace::close(Trace* trace) noexcept {
  trace->clear();
  current_ = trace->outer_;
  trace->outer_ = spare_;
  spare_ = trace;
}

void Trace::clear() noexcept {
  for (std::uint32_t id = 0; id < count_; ++id)
    if (Node& node = (*this)[id]; node.keeps || node.holds) node.reset();
  count_ = marked.count = 0;
  // Arrays that outlive the trace become ordinary ones that any thread may share.
  for (detail::Link* link = arrays_.next; link != &arrays_;) {
    auto* h = static_cast<detail::Header*>(link);
    link = link->next;
    h->previous = h->next = nullptr;
    h->node = 0;
    h->trace = nullptr;
    h->local = false;
  }
  arrays_.previous = arrays_.next = &arrays_;
  if (blocks_.size() > keptBlocks) {
    blocks_.resize(keptBlocks);
    capacity_ = blockNodes * static_cast<std::uint32_t>(keptBlocks);
  }
}

void Trace::grow() {
  blocks_.push_back(std::make_unique<Node[]>(blockNodes));
  capacity_ += blockNodes;
}

DlArray Trace::leaf(const DlArray& x) {
  DlArray variable = Storage::reshaped(x, Storage::shape(x));
  Storage::get(variable)->origin = 0;
  Node& n = append();
  n.inputCount = 0;
  n.type = Storage::of(x).type;
  n.device = Storage::of(x).device;
  n.plainScalar = Storage::plainScalar(x);
  n.wholeShape = Storage::shape(x);
  ++variables;
  own(variable);
  return variable;
}

bool recorded(const Trace* trace, const DlArray& x) {
  const detail::Header& h = Storage::of(x);
  if (h.node == 0) return false;
  if (h.trace == trace) return trace->recording;
  for (const Trace* t = trace ? trace->outer() : nullptr; t; t = t->outer())
    if (h.trace == t) return false;
  throw Error("dlarray:trace:otherThread",
              "a traced array was used by a thread other than the one that traces it: pass extractdata of it instead");
}

}  // namespace dl::engine
