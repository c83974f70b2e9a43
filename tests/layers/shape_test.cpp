// Layers that rearrange, cut, resize and scale data.
#include "layers/layer_harness.hpp"

using namespace dl;
using namespace dl::test;

namespace {

const DlArray X = someNumbers({6, 5, 3, 2}, "SSCB"), movie = someNumbers({4, 5, 2, 2, 3}, "SSCBT"),
              volume = someNumbers({4, 5, 6, 2, 2}, "SSSCB");

DlArray answer(const AnyLayer& layer, const DlArray& x) { return Ready(layer, Arrays{x})(x); }
DlArray answer(const AnyLayer& layer, const DlArray& x, const DlArray& ref) {
  const Arrays both{x, ref};
  return Ready(layer, both).predict(both)[0];
}
std::string shape(const DlArray& y) { return toString(size(y)) + " " + dims(y); }
// The same elements in column-major order.
bool sameElements(const DlArray& a, const DlArray& b) {
  return extractdata<std::vector<double>>(a) == extractdata<std::vector<double>>(b);
}

}  // namespace

BOOST_AUTO_TEST_CASE(flattening_joins_space_and_channels) {
  BOOST_TEST(shape(answer(flattenLayer(), X)) == "90 x 2 CB");
  BOOST_TEST(shape(answer(flattenLayer(), movie)) == "40 x 2 x 3 CBT");
  BOOST_TEST(shape(answer(flattenLayer(), dlarray(ones(3, 4), "CB"))) == "3 x 4 CB");
  BOOST_TEST(shape(answer(flattenLayer(), dlarray(ones(3, 4, 2), "SSC"))) == "24 x 1 CU");
  BOOST_TEST(shape(answer(flattenLayer(), dlarray(ones(3, 4), "CU"))) == "3 x 4 CU");
  BOOST_TEST(shape(answer(flattenLayer(), dlarray(ones(3, 4), "SB"))) == "3 x 4 CB");
  BOOST_TEST(sameElements(answer(flattenLayer(), X), X));
  BOOST_TEST(double(std::as_const(X)(2, 3, 1, 1)) == double(answer(flattenLayer(), X)(2 + 3 * 6 + 1 * 30, 1)));
}

BOOST_AUTO_TEST_CASE(reshaping_gives_labels_to_what_it_makes) {
  const AnyLayer image = reshapeLayer({3, 3, 10}, {.operationDimension = "spatial-channel"});
  BOOST_TEST(shape(answer(image, X)) == "3 x 3 x 10 x 2 SSCB");
  BOOST_TEST(shape(answer(reshapeLayer({-1, 4}, {.operationDimension = "spatial-channel"}), movie)) == "10 x 4 x 2 x 3 SCBT");
  BOOST_TEST(shape(answer(reshapeLayer({90}, {.operationDimension = "spatial-channel"}), X)) == "90 x 2 CB");
  BOOST_TEST(shape(answer(reshapeLayer({3, 10, 3, -1}), X)) == "3 x 10 x 3 x 2 SSCB");
  BOOST_TEST(shape(answer(reshapeLayer({90, -1}), X)) == "90 x 2 CB");
  BOOST_TEST(shape(answer(reshapeLayer({4, 4, 2, -1}), dlarray(someNumbers({32, 3}), "CB"))) == "4 x 4 x 2 x 3 SSCB");
  BOOST_TEST(shape(answer(reshapeLayer({45, -1}), stripdims(X))) == "45 x 4 ");
  BOOST_TEST(sameElements(answer(image, X), X));
}

BOOST_AUTO_TEST_CASE(permuting_leaves_the_labels_in_place) {
  const DlArray turned = answer(permuteLayer({1, 0, 2, 3}), X);
  BOOST_TEST(shape(turned) == "5 x 6 x 3 x 2 SSCB");
  BOOST_TEST(double(std::as_const(turned)(4, 1, 2, 1)) == double(std::as_const(X)(1, 4, 2, 1)));
  const DlArray channels = answer(permuteLayer({2, 1, 0}), X);
  BOOST_TEST(shape(channels) == "3 x 5 x 6 x 2 SSCB");
  BOOST_TEST(double(std::as_const(channels)(2, 4, 1, 1)) == double(std::as_const(X)(1, 4, 2, 1)));
  BOOST_TEST(isequal(answer(permuteLayer({1, 0}), stripdims(dlarray(ones(3, 4)))), ones(4, 3)));
}

BOOST_AUTO_TEST_CASE(cropping_cuts_to_the_reference) {
  const DlArray ref = dlarray(ones(3, 2, 7, 2), "SSCB");
  BOOST_TEST(isequal(answer(crop2dLayer("centercrop"), X, ref), X(span(1, 3), span(1, 2), all, all)));
  // A corner is {x, y}: column 2, row 3.
  BOOST_TEST(isequal(answer(crop2dLayer({2, 3}), X, ref), X(span(3, 5), span(2, 3), all, all)));
  const DlArray ref3 = dlarray(ones(2, 3, 4, 1, 1), "SSSCB");
  BOOST_TEST(isequal(answer(crop3dLayer({2, 1, 0}), volume, ref3), volume(span(1, 2), span(2, 4), span(0, 3), all, all)));
  BOOST_TEST(isequal(answer(crop3dLayer("centercrop"), volume, ref3), volume(span(1, 2), span(1, 3), span(1, 4), all, all)));
  BOOST_TEST((crop2dLayer("centercrop")->inputNames() == std::vector<std::string>{"in", "ref"}));
}

BOOST_AUTO_TEST_CASE(resizing_answers_as_dlresize) {
  BOOST_TEST(differenceOf(answer(resize2dLayer({.scale = 2}), X), dlresize(X, {.scale = 2})) == 0.0);
  BOOST_TEST(
      differenceOf(answer(resize2dLayer({.outputSize = {3, 8}, .method = "bilinear", .geometricTransformMode = "asymmetric"}), X),
                   dlresize(X, {.outputSize = {3, 8}, .method = "linear", .geometricTransformMode = "asymmetric"})) == 0.0);
  const AnyLayer byReference = resize2dLayer({.enableReferenceInput = true, .nearestRoundingMode = "floor"});
  BOOST_TEST((byReference->inputNames() == std::vector<std::string>{"in", "ref"}));
  BOOST_TEST((resize2dLayer({.scale = 2})->inputNames() == std::vector<std::string>{"in"}));
  BOOST_TEST(differenceOf(answer(byReference, X, dlarray(ones(9, 4), "SS")),
                          dlresize(X, {.outputSize = {9, 4}, .nearestRoundingMode = "floor"})) == 0.0);
  BOOST_TEST(differenceOf(answer(resize3dLayer({.scale = {2, 1, 0.5}, .method = "trilinear"}), volume),
                          dlresize(volume, {.scale = {2, 1, 0.5}, .method = "linear"})) == 0.0);
}

BOOST_AUTO_TEST_CASE(scaling_and_identity) {
  BOOST_TEST(isequal(answer(identityLayer(), X), X));
  BOOST_TEST(isequal(answer(scalingLayer(), X), X));
  BOOST_TEST(isequal(answer(scalingLayer({.scale = 2, .bias = 3}), X), 2 * X + 3));
  const DlArray perChannel = dlarray(dlarray({{1.0}, {2.0}, {3.0}}), "C");
  BOOST_TEST(isequal(answer(scalingLayer({.scale = perChannel}), X), perChannel % X));
  BOOST_TEST(bool(underlyingType(answer(scalingLayer({.scale = 2, .bias = 1}), single_(X))) == Type::Single));
}

BOOST_AUTO_TEST_CASE(they_differentiate) {
  checkLayerDerivatives(flattenLayer(), {X});
  checkLayerDerivatives(reshapeLayer({3, 3, 10}, {.operationDimension = "spatial-channel"}), {X});
  checkLayerDerivatives(permuteLayer({2, 1, 0}), {X});
  checkLayerDerivatives(crop2dLayer({2, 3}), {X, dlarray(ones(3, 2, 1, 1), "SSCB")}, 2, {true, false});
  checkLayerDerivatives(resize2dLayer({.scale = 1.5, .method = "bilinear"}), {X});
  checkLayerDerivatives(scalingLayer({.scale = 2, .bias = 3}), {X});
}

BOOST_AUTO_TEST_CASE(names_and_options_are_those_of_the_pages) {
  const auto check = [](const AnyLayer& layer, const char* type, const char* stem, const std::vector<std::string>& options) {
    BOOST_TEST(layer->type() == type);
    BOOST_TEST(layer->stem() == stem);
    BOOST_TEST(layer.name() == "it");
    BOOST_TEST(optionsOf(layer) == options, boost::test_tools::per_element());
  };
  check(flattenLayer({.name = "it"}), "FlattenLayer", "flatten", {});
  check(reshapeLayer({3, -1}, {.name = "it", .operationDimension = "spatial-channel"}), "ReshapeLayer", "reshape",
        {"outputSize=3 -1", "operationDimension=spatial-channel"});
  check(permuteLayer({1, 0}, {.name = "it"}), "PermuteLayer", "permute", {"dimensionOrder=1 x 0"});
  check(crop2dLayer("centercrop", {.name = "it"}), "Crop2dLayer", "crop2d", {"mode=centercrop", "location=0"});
  check(crop3dLayer({1, 2, 3}, {.name = "it"}), "Crop3dLayer", "crop3d", {"mode=", "location=1 2 3"});
  check(resize2dLayer({.name = "it", .scale = 2}), "Resize2dLayer", "resize2d",
        {"scale=2", "outputSize=", "enableReferenceInput=false", "method=nearest", "geometricTransformMode=half-pixel",
         "nearestRoundingMode=round"});
  check(resize3dLayer({.name = "it", .outputSize = {1, 2, 3}, .method = "trilinear"}), "Resize3dLayer", "resize3d",
        {"scale=", "outputSize=1 2 3", "enableReferenceInput=false", "method=trilinear", "geometricTransformMode=half-pixel",
         "nearestRoundingMode=round"});
  check(identityLayer({.name = "it"}), "IdentityLayer", "identity", {});
  check(scalingLayer({.name = "it"}), "ScalingLayer", "scaling", {"scale=1 x 1", "bias=1 x 1"});
}

BOOST_AUTO_TEST_CASE(mistakes_name_the_layer) {
  const AnyLayer reshaping = reshapeLayer({3, 3, 11}, {.name = "r", .operationDimension = "spatial-channel"});
  BOOST_TEST(wholeSentenceOf([&] { reshaping->predict({X}, {}); }) ==
             "reshapeLayer \"r\": 90 elements along S and C do not fill the size 3 x 3 x 11: 6(S) x 5(S) x 3(C) x 2(B)");
  BOOST_TEST(wholeSentenceOf([&] {
               reshapeLayer({7, -1})->predict({X}, {});
             }) == "reshapeLayer: 180 elements do not fill the size 7 x ?: 6(S) x 5(S) x 3(C) x 2(B)");
  BOOST_TEST(wholeSentenceOf([&] { reshapeLayer({-1})->predict({X}, {}); }) ==
             "reshapeLayer: 1 sizes for the input 6(S) x 5(S) x 3(C) x 2(B), which has 2 dimensions besides S");
  BOOST_TEST(wholeSentenceOf([&] { flattenLayer()->predict({stripdims(X)}, {}); }) ==
             "flattenLayer: the input is 6 x 5 x 3 x 2, without labels; the layer joins the dimensions S and C");
  BOOST_TEST(wholeSentenceOf([&] {
               crop2dLayer({4, 3}, {.name = "c"})->predict({X, dlarray(ones(3, 2), "SS")}, {});
             }) ==
             "crop2dLayer \"c\": a part of 2 from 4 does not lie inside dimension 1 of the input 6(S) x 5(S) x 3(C) x 2(B); the "
             "reference is "
             "3(S) x 2(S)");
  BOOST_TEST(wholeSentenceOf([&] {
               crop2dLayer("centercrop")->predict({X, dlarray(ones(7, 2), "SS")}, {});
             }) ==
             "crop2dLayer: a part of 7 from 0 does not lie inside dimension 0 of the input 6(S) x 5(S) x 3(C) x 2(B); the "
             "reference is 7(S) x "
             "2(S)");
  BOOST_TEST(wholeSentenceOf([&] {
               Ready(crop2dLayer("centercrop"), Arrays{X, volume});
             }) == "crop2dLayer: the input \"ref\" is 4(S) x 5(S) x 6(S) x 2(C) x 2(B); the layer needs 2 spatial dimensions, S");
  BOOST_TEST(wholeSentenceOf([&] { Ready(resize3dLayer({.scale = 2}), Arrays{X}); }) ==
             "resize3dLayer: the input is 6(S) x 5(S) x 3(C) x 2(B); the layer needs 3 spatial dimensions, S");
  BOOST_TEST(wholeSentenceOf([&] { scalingLayer({.scale = ones(7, 1)})->predict({X}, {}); }).starts_with("scalingLayer: "));
  const auto says = [](const std::function<void()>& call, const std::string& wanted) {
    const std::string found = wholeSentenceOf(call);
    BOOST_TEST(found.starts_with(wanted + " (shape_test.cpp:"), found);
  };
  says([] { reshapeLayer({-1, -1}); }, "reshapeLayer: the size is ? x ?; it is a list of sizes, of which one may be -1");
  says([] { reshapeLayer({2}, {.operationDimension = "channel"}); },
       "reshapeLayer: .operationDimension is \"channel\", neither \"all\" nor \"spatial-channel\"");
  says(
      [] {
        permuteLayer({0, 2});
      },
      "permuteLayer: the order of 2 numbers does not hold 1 once; it lists the dimensions from 0 to 1");
  says([] { crop2dLayer("left"); }, "crop2dLayer: the location is \"left\", neither \"centercrop\" nor a corner");
  says([] { crop2dLayer({1, 2, 3}); }, "crop2dLayer: the corner has 3 numbers; it is {x, y}");
  says([] { resize2dLayer({}); },
       "resize2dLayer: 0 of .scale, .outputSize and .enableReferenceInput are given; one of them says how large data becomes");
  says([] { resize2dLayer({.scale = 2, .method = "trilinear"}); },
       "resize2dLayer: the method is \"trilinear\", neither \"nearest\" nor \"bilinear\"");
  says([] { resize2dLayer({.scale = -1}); }, "resize2dLayer: .scale is -1; it must be a positive number");
  says([] { resize2dLayer({.outputSize = 2.5}); }, "resize2dLayer: .outputSize is 2.5; it must be a positive whole number");
}
