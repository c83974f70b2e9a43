#pragma once
#include <dlarray/train/datastore.hpp>

namespace dl {

struct ImageDatastoreOptions {
  bool includeSubfolders = false;
  /// The endings of the files that count, with the dot, in capitals or not; empty: .png, .jpg and .jpeg.
  std::vector<std::string> fileExtensions = {};
  /// Where labels come from: "none", or "foldernames", the folder that a file lies in.
  std::string labelSource = "none";
  /// A label for each file in the order of the files, in place of labelSource.
  std::vector<std::string> labels = {};
  /// What reads a file, in place of `imread`; several threads may call it at once.
  detail::Function<DlArray(const std::string& file)> readFcn = {};
};

/// Pictures in files, each read when it is asked for: observation i is picture i, and with labels its class, the position of its
/// label in `classNames()`. Converts to a Datastore.
class ImageDatastore : public DatastoreSource {
 public:
  /// One without files.
  ImageDatastore();
  ImageDatastore(const ImageDatastore& other);
  ImageDatastore(ImageDatastore&& other) noexcept;
  ImageDatastore& operator=(const ImageDatastore& other);
  ImageDatastore& operator=(ImageDatastore&& other) noexcept;
  ~ImageDatastore() override;

  Index size() const override { return static_cast<Index>(files_.size()); }
  std::vector<DlArray> read(Index i) const override;

  /// The files, sorted by name, and their labels; no labels when there are none.
  const std::vector<std::string>& files() const noexcept { return files_; }
  const std::vector<std::string>& labels() const noexcept { return labels_; }
  /// Each label once, sorted.
  const std::vector<std::string>& classNames() const noexcept { return classNames_; }
  /// The datastore with these files alone, in this order; classes stay.
  ImageDatastore only(const std::vector<Index>& which, std::source_location where = std::source_location::current()) const;

 private:
  friend ImageDatastore imageDatastore(const std::vector<std::string>&, ImageDatastoreOptions, std::source_location);
  std::vector<std::string> files_, labels_, classNames_;
  std::vector<Index> classes_;
  detail::Function<DlArray(const std::string& file)> readFcn_;
};

/// The pictures in folders, and files named themselves. Throws, naming it, for what does not exist, and for as many labels as
/// there are not files. (MATLAB: imageDatastore)
ImageDatastore imageDatastore(const std::vector<std::string>& locations, ImageDatastoreOptions options = {},
                              std::source_location where = std::source_location::current());
ImageDatastore imageDatastore(const std::string& location, ImageDatastoreOptions options = {},
                              std::source_location where = std::source_location::current());
/// Picture i, from 0. (MATLAB: readimage)
DlArray readimage(const ImageDatastore& imds, Index i, std::source_location where = std::source_location::current());

struct LabelCount {
  std::string label;
  Index count;
};
/// How many files have each label, in the order of the classes. (MATLAB: countEachLabel)
std::vector<LabelCount> countEachLabel(const ImageDatastore& imds);
/// Two datastores, of the first files of each label and of the rest: a share between 0 and 1, rounded to whole files, or a number
/// of at least 1. "randomized" takes files that the generator draws. Throws for other shares and without labels. (MATLAB:
/// splitEachLabel)
std::pair<ImageDatastore, ImageDatastore> splitEachLabel(const ImageDatastore& imds, double share, std::string_view order = "",
                                                         std::source_location where = std::source_location::current());

/// The first variable, height x width x channels, resized to height x width by linear interpolation; the others as they are.
/// (MATLAB: augmentedImageDatastore)
Datastore augmentedImageDatastore(const Size& outputSize, const Datastore& ds,
                                  std::source_location where = std::source_location::current());

}  // namespace dl
