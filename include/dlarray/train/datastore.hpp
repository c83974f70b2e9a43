#pragma once
#include <dlarray/array.hpp>
#include <dlarray/function.hpp>

// Observations to learn from, read one by one or in batches, from memory, from files or from a source of the user's.
namespace dl {

/// Where observations come from. Write a source of your own by deriving from it: a struct converts to a Datastore. The struct is
/// not changed any more then, and several threads may call its functions at once.
class DatastoreSource {
 public:
  DatastoreSource() = default;
  DatastoreSource(const DatastoreSource&) = default;
  DatastoreSource& operator=(const DatastoreSource&) = default;
  virtual ~DatastoreSource() = default;

  /// How many observations there are; always the same.
  virtual Index size() const = 0;
  /// The variables of observation i, counted from 0, such as an image and its class; as many for each observation.
  virtual std::vector<DlArray> read(Index i) const = 0;
};

/// Any source of observations as a value, with a position to read on from. Copies share the source and have a position each.
class Datastore {
 public:
  /// No observations.
  Datastore() noexcept = default;
  template <std::derived_from<DatastoreSource> S>
  Datastore(S source) : held_(new Held<S>(std::move(source))) {}
  Datastore(const Datastore& other) noexcept : held_(other.held_), position_(other.position_) {
    if (held_) held_->owners.add();
  }
  Datastore(Datastore&& other) noexcept
      : held_(detail::taken(other.held_)), position_(other.position_) {
    other.position_ = 0;
  }
  Datastore& operator=(Datastore other) noexcept {
    detail::exchanged(held_, other.held_);
    position_ = other.position_;
    return *this;
  }
  ~Datastore() {
    if (held_ && held_->owners.drop()) delete held_;
  }

  /// The number of observations.
  Index size() const { return held_ ? held_->source().size() : 0; }
  /// The variables of observation i, from 0; the position stays. Throws for an i that there is not.
  std::vector<DlArray> read(Index i, std::source_location where = std::source_location::current()) const;
  /// The source, null when there is none.
  const DatastoreSource* source() const noexcept { return held_ ? &held_->source() : nullptr; }
  /// The observation that `read(ds)` reads next.
  Index position() const noexcept { return position_; }
  void moveTo(Index position) noexcept { position_ = position; }

 private:
  struct Any {
    virtual ~Any() = default;
    virtual const DatastoreSource& source() const noexcept = 0;
    detail::OwnerCount owners;
  };
  template <class S>
  struct Held final : Any {
    explicit Held(S s) : value(std::move(s)) {}
    const DatastoreSource& source() const noexcept override { return value; }
    S value;
  };

  Any* held_ = nullptr;
  Index position_ = 0;
};

struct ArrayDatastoreOptions {
  /// How many observations one `read(ds)` reads.
  Index readSize = 1;
  /// The dimension that counts observations, from 0, or its label.
  Dimensions iterationDimension = 0;
  /// What `read(ds)` answers: "cell" an array for each observation, "same" one array of all that were read.
  std::string_view outputType = "cell";
};
/// The slices of an array along one dimension as observations of one variable, without labels. A slice has size 1 along that
/// dimension, and loses it when it was the last: n x 3 gives rows 1 x 3, 28 x 28 x 1 x n along dimension 3 gives 28 x 28. Throws
/// for a label that the array does not have. (MATLAB: arrayDatastore)
Datastore arrayDatastore(Operand a, const ArrayDatastoreOptions& options = {});

/// Observation i has the variables of observation i of all, in order. Throws when the numbers of observations differ. (MATLAB:
/// combine)
Datastore combine(const std::vector<Datastore>& datastores, std::source_location where = std::source_location::current());
template <std::convertible_to<Datastore>... More>
Datastore combine(const Datastore& first, const Datastore& second, const More&... more) {
  return combine(std::vector<Datastore>{first, second, Datastore(more)...});
}

/// What a function makes of the variables of an observation, each time that it is read. A queue with several threads calls the
/// function from all of them. (MATLAB: transform)
Datastore transform(const Datastore& ds, detail::Function<std::vector<DlArray>(std::vector<DlArray>)> fun);

/// The observations with these numbers, from 0, in this order. Throws for numbers that there are not. (MATLAB: subset)
Datastore subset(const Datastore& ds, const std::vector<Index>& indices,
                 std::source_location where = std::source_location::current());
/// The same for numbers or a mask in an array.
Datastore subset(const Datastore& ds, Operand indices);

/// The observations in an order that the generator draws, as `randperm(size(ds))` does. (MATLAB: shuffle)
Datastore shuffle(const Datastore& ds);

/// Part `index`, from 0, of n parts that follow each other and differ by one observation at most. Throws for a part that there is
/// not. (MATLAB: partition)
Datastore partition(const Datastore& ds, Index n, Index index, std::source_location where = std::source_location::current());

/// The number of observations. (MATLAB: numobservations)
Index numobservations(const Datastore& ds);
inline Index size(const Datastore& ds) { return ds.size(); }

/// The variables of the next observation; moves on. Of an `arrayDatastore` as many observations as its readSize: an array each,
/// or one of all. Throws behind the last one. (MATLAB: read)
std::vector<DlArray> read(Datastore& ds, std::source_location where = std::source_location::current());
/// The variables of all observations, from the first; the position stays. (MATLAB: readall)
std::vector<std::vector<DlArray>> readall(const Datastore& ds);
/// True while there is something to read. (MATLAB: hasdata)
bool hasdata(const Datastore& ds);
/// Goes back to the first observation. (MATLAB: reset)
void reset(Datastore& ds);
/// The variables of the first observation; the position stays. Throws when there is none. (MATLAB: preview)
std::vector<DlArray> preview(const Datastore& ds, std::source_location where = std::source_location::current());

}  // namespace dl
