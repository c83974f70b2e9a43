// Folders of pictures with their labels.
#include "harness/mistake.hpp"
#include "io/folder.hpp"

#include <boost/test/unit_test.hpp>

#include <dlarray/dlarray.hpp>

using namespace dl;
using dl::test::mistake;
using Words = std::vector<std::string>;

namespace {

const test::Folder folder;

// Three classes with 2, 4 and 6 pictures of one level of grey each: level 10 * class + number.
std::string place() {
  const std::string root = folder.path("pictures/");
  int of = 0;
  for (const char* name : {"cat", "ant", "dog"}) {
    ++of;
    for (int k = 0; k < 2 * of; ++k)
      imwrite((10 * of + k) * ones(4, 6),
              folder.path("pictures/" + std::string(name) + "/" + std::to_string(k) + (k % 2 ? ".png" : ".PNG")),
              {.range = {0, 255}});
  }
  test::write(root + "cat/notes.txt", "no picture");
  return root;
}
const std::string root = place();

}  // namespace

BOOST_AUTO_TEST_CASE(files_and_labels) {
  const ImageDatastore imds = imageDatastore(root, {.includeSubfolders = true, .labelSource = "foldernames"});
  BOOST_TEST(imds.size() == 12);
  BOOST_TEST(bool(imds.classNames() == Words{"ant", "cat", "dog"}));
  BOOST_TEST(imds.files().front() == root + "ant/0.PNG");
  BOOST_TEST(imds.labels()[4] == "cat");
  BOOST_TEST(isequal(readimage(imds, 5), 11 * ones(4, 6, "single")));
  const std::vector<DlArray> last = imds.read(11);
  BOOST_TEST_REQUIRE(last.size() == 2U);
  BOOST_TEST(double(last[0](0)) == 35);
  BOOST_TEST(double(last[1]) == 2);
  BOOST_TEST(imageDatastore(root).size() == 0);
  BOOST_TEST(imageDatastore(root + "dog").size() == 6);
  BOOST_TEST(imageDatastore(root + "dog").read(0).size() == 1U);
  BOOST_TEST(imageDatastore(root + "cat", {.fileExtensions = {".txt"}}).size() == 1);
  BOOST_TEST(imageDatastore(Words{root + "cat/0.PNG", root + "ant"}).size() == 5);
  const ImageDatastore named =
      imageDatastore(root + "cat", {.labels = {"b", "a"}, .readFcn = [](const std::string& f) { return DlArray(f.size()); }});
  BOOST_TEST(double(named.read(0)[1]) == 1);
  BOOST_TEST(double(named.read(0)[0]) == static_cast<double>((root + "cat/0.PNG").size()));
}

BOOST_AUTO_TEST_CASE(counting_and_splitting) {
  const ImageDatastore imds = imageDatastore(root, {.includeSubfolders = true, .labelSource = "foldernames"});
  const auto counts = countEachLabel(imds);
  BOOST_TEST(counts[0].label == "ant");
  BOOST_TEST(counts[0].count == 4);
  BOOST_TEST(counts[2].count == 6);
  const auto [half, others] = splitEachLabel(imds, 0.5);
  BOOST_TEST(half.size() == 6);
  BOOST_TEST(others.size() == 6);
  BOOST_TEST(bool(half.labels() == Words{"ant", "ant", "cat", "dog", "dog", "dog"}));
  BOOST_TEST(half.files()[0] == root + "ant/0.PNG");
  BOOST_TEST(splitEachLabel(imds, 3).first.size() == 8);
  rng(4);
  const Words drawn = splitEachLabel(imds, 0.5, "randomized").first.files();
  rng(4);
  BOOST_TEST(bool(splitEachLabel(imds, 0.5, "randomized").first.files() == drawn));
  BOOST_TEST(mistake([&] { splitEachLabel(imds, 1.5); }).identifier == "dlarray:splitEachLabel:share");
  BOOST_TEST(mistake([&] { splitEachLabel(imageDatastore(root), 0.5); }).identifier == "dlarray:splitEachLabel:labels");
}

BOOST_AUTO_TEST_CASE(batches_of_files) {
  const ImageDatastore imds = imageDatastore(root, {.includeSubfolders = true, .labelSource = "foldernames"});
  for (const Index threads : {0, 2}) {
    MiniBatchQueue mbq =
        minibatchqueue(augmentedImageDatastore({2, 3}, imds),
                       {.miniBatchSize = 5, .miniBatchFormat = {"SSCB", "CB"}, .oneHot = {0, 3}, .numThreads = threads});
    auto [X, T] = next<2>(mbq);
    BOOST_TEST(bool(size(X) == Size{2, 3, 1, 5}));
    BOOST_TEST(isequal(stripdims(X(1, 2, 0, all)), single_(reshape(dlarray({20, 21, 22, 23, 10}), Size{1, 1, 1, 5}))));
    BOOST_TEST(isequal(stripdims(T), single_(dlarray({{1, 1, 1, 1, 0}, {0, 0, 0, 0, 1}, {0, 0, 0, 0, 0}}))));
  }
}

BOOST_AUTO_TEST_CASE(mistakes_name_the_file) {
  BOOST_TEST(mistake([] {
               imageDatastore("/nowhere");
             }).sentence.starts_with("imageDatastore: there is no folder or file /nowhere (imagedatastore"));
  BOOST_TEST(mistake([] { imageDatastore(root, {.labelSource = "files"}); }).identifier == "dlarray:imageDatastore:labelSource");
  BOOST_TEST(mistake([] { imageDatastore(root + "cat", {.labels = {"a"}}); }).identifier == "dlarray:imageDatastore:labels");
  BOOST_TEST(mistake([] { readimage(imageDatastore(root + "cat"), 2); }).identifier == "dlarray:readimage:index");
  test::write(folder.path("bad/a.png"), "\x89PNG\r\n\x1a\nrest");
  MiniBatchQueue mbq = minibatchqueue(imageDatastore(folder.path("bad/")), {.numThreads = 1});
  const auto damaged = mistake([&] { next(mbq); });
  BOOST_TEST(damaged.identifier == "dlarray:imread:damaged");
  BOOST_TEST(damaged.sentence.starts_with("next: observation 0: imread: " + folder.path("bad/a.png") + " cannot be read: "));
}

BOOST_AUTO_TEST_CASE(pictures_that_there_are_not) {
  BOOST_TEST(test::mistake([] { ImageDatastore().read(3); }).identifier == "dlarray:datastore:index");
}
