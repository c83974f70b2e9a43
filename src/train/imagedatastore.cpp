#include <dlarray/train/imagedatastore.hpp>

#include "core/fail.hpp"
#include "core/storage.hpp"

#include <dlarray/io/image.hpp>
#include <dlarray/nn/resize.hpp>
#include <dlarray/ops/shape.hpp>
#include <dlarray/random.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

namespace dl {

namespace {

namespace fs = std::filesystem;

std::string lowered(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return word;
}

// The files of a folder that have one of the endings, sorted.
std::vector<std::string> filesOf(const std::string& location, const ImageDatastoreOptions& options,
                                 const std::source_location& where) {
  std::error_code mistake;
  const fs::file_status status = fs::status(location, mistake);
  if (!fs::exists(status)) fail(where, "imageDatastore:location", "imageDatastore: there is no folder or file {}", location);
  if (!fs::is_directory(status)) return {location};
  std::vector<std::string> endings, files;
  for (const std::string& e : options.fileExtensions) endings.push_back(lowered(e));
  if (endings.empty()) endings = {".png", ".jpg", ".jpeg"};
  const auto consider = [&](const fs::directory_entry& entry) {
    std::error_code unknown;
    if (entry.is_regular_file(unknown) && std::ranges::count(endings, lowered(entry.path().extension().string())) > 0)
      files.push_back(entry.path().string());
  };
  if (options.includeSubfolders) {
    for (fs::recursive_directory_iterator at(location, mistake), stop; !mistake && at != stop; at.increment(mistake))
      consider(*at);
  } else {
    for (fs::directory_iterator at(location, mistake), stop; !mistake && at != stop; at.increment(mistake)) consider(*at);
  }
  if (mistake) fail(where, "imageDatastore:location", "imageDatastore: {} cannot be read: {}", location, mistake.message());
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::vector<DlArray> ImageDatastore::read(Index i) const {
  if (i < 0 || i >= size())
    fail({}, "datastore:index", "imageDatastore: there is no picture {} among {}, counted from 0", i, size());
  const auto at = static_cast<std::size_t>(i);
  const std::string& file = files_[at];
  std::vector<DlArray> variables{readFcn_ ? readFcn_(file) : imread(file)};
  if (!classes_.empty()) variables.emplace_back(classes_[at]);
  return variables;
}

ImageDatastore ImageDatastore::only(const std::vector<Index>& which, std::source_location where) const {
  ImageDatastore part = *this;
  part.files_.clear();
  part.labels_.clear();
  part.classes_.clear();
  for (const Index i : which) {
    if (i < 0 || i >= size())
      fail(where, "subset:index", "subset: there is no observation {} among {}, counted from 0", i, size());
    part.files_.push_back(files_[static_cast<std::size_t>(i)]);
    if (labels_.empty()) continue;
    part.labels_.push_back(labels_[static_cast<std::size_t>(i)]);
    part.classes_.push_back(classes_[static_cast<std::size_t>(i)]);
  }
  return part;
}

ImageDatastore::ImageDatastore() = default;
ImageDatastore::ImageDatastore(const ImageDatastore& other) = default;
ImageDatastore::ImageDatastore(ImageDatastore&& other) noexcept = default;
ImageDatastore& ImageDatastore::operator=(const ImageDatastore& other) = default;
ImageDatastore& ImageDatastore::operator=(ImageDatastore&& other) noexcept = default;
ImageDatastore::~ImageDatastore() = default;

ImageDatastore imageDatastore(const std::string& location, ImageDatastoreOptions options, std::source_location where) {
  return imageDatastore(std::vector<std::string>{location}, std::move(options), where);
}
ImageDatastore imageDatastore(const std::vector<std::string>& locations, ImageDatastoreOptions options,
                              std::source_location where) {
  if (options.labelSource != "none" && options.labelSource != "foldernames")
    fail(where, "imageDatastore:labelSource", "imageDatastore: labelSource \"{}\" is neither \"none\" nor \"foldernames\"",
         options.labelSource);
  ImageDatastore imds;
  for (const std::string& location : locations)
    for (std::string& file : filesOf(location, options, where)) imds.files_.push_back(std::move(file));
  imds.labels_ = std::move(options.labels);
  if (imds.labels_.empty() && options.labelSource == "foldernames")
    for (const std::string& file : imds.files_) imds.labels_.push_back(fs::absolute(file).parent_path().filename().string());
  if (!imds.labels_.empty() && imds.labels_.size() != imds.files_.size())
    fail(where, "imageDatastore:labels", "imageDatastore: {} labels for {} files", imds.labels_.size(), imds.files_.size());
  imds.classNames_ = imds.labels_;
  std::ranges::sort(imds.classNames_);
  imds.classNames_.erase(std::unique(imds.classNames_.begin(), imds.classNames_.end()), imds.classNames_.end());
  for (const std::string& label : imds.labels_)
    imds.classes_.push_back(std::ranges::lower_bound(imds.classNames_, label) - imds.classNames_.begin());
  imds.readFcn_ = std::move(options.readFcn);
  return imds;
}

DlArray readimage(const ImageDatastore& imds, Index i, std::source_location where) {
  if (i < 0 || i >= imds.size())
    fail(where, "readimage:index", "readimage: there is no picture {} among {}, counted from 0", i, imds.size());
  return imds.read(i).front();
}

std::vector<LabelCount> countEachLabel(const ImageDatastore& imds) {
  std::vector<LabelCount> counts;
  for (const std::string& label : imds.classNames()) counts.push_back({label, std::ranges::count(imds.labels(), label)});
  return counts;
}

std::pair<ImageDatastore, ImageDatastore> splitEachLabel(const ImageDatastore& imds, double share, std::string_view order,
                                                         std::source_location where) {
  if (imds.labels().empty()) fail(where, "splitEachLabel:labels", "splitEachLabel: the files have no labels");
  if (!(share > 0) || (share >= 1 && share != std::floor(share)))
    fail(where, "splitEachLabel:share", "splitEachLabel: {} is neither a share between 0 and 1 nor a number of files", share);
  if (!order.empty() && order != "randomized")
    fail(where, "splitEachLabel:order", "splitEachLabel: \"{}\" is not \"randomized\"", order);
  std::vector<Index> chosen, rest;
  for (const LabelCount& c : countEachLabel(imds)) {
    std::vector<Index> with;
    for (Index i = 0; i < imds.size(); ++i)
      if (imds.labels()[static_cast<std::size_t>(i)] == c.label) with.push_back(i);
    if (order == "randomized") {
      const std::vector<Index> before = with;
      const auto drawn = extractdata<std::vector<double>>(randperm(c.count));
      for (std::size_t k = 0; k < with.size(); ++k) with[k] = before[static_cast<std::size_t>(drawn[k])];
    }
    const auto wanted = static_cast<Index>(share < 1 ? std::round(share * static_cast<double>(c.count)) : std::min(share, 1e15));
    const auto border = with.begin() + std::min(wanted, c.count);
    chosen.insert(chosen.end(), with.begin(), border);
    rest.insert(rest.end(), border, with.end());
  }
  std::ranges::sort(chosen);
  std::ranges::sort(rest);
  return {imds.only(chosen), imds.only(rest)};
}

Datastore augmentedImageDatastore(const Size& outputSize, const Datastore& ds, std::source_location where) {
  if (outputSize.size() < 2 || outputSize[0] < 1 || outputSize[1] < 1)
    fail(where, "augmentedImageDatastore:size", "augmentedImageDatastore: {} is no height x width of a picture",
         toString(outputSize));
  return transform(ds, [height = outputSize[0], width = outputSize[1]](std::vector<DlArray> variables) {
    DlArray& x = variables.at(0);
    const Size& size = Storage::shape(x).size;
    if (size[0] != height || size[1] != width)
      x = stripdims(dlresize(dlarray(stripdims(x), "SSC"), {.outputSize = {height, width}, .method = "linear"}));
    return variables;
  });
}

}  // namespace dl
