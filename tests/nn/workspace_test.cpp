// The memory in which normalisations work, which is not the pool's: a part of the data, whatever its shape.
#include "cpu/kernel_test.hpp"
#include "harness/counted_new.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>

#include <dlarray/dlarray.hpp>

using namespace dl;

namespace {

using Function = std::function<DlArray(const DlArray&, const DlArray&, const DlArray&)>;

// The most bytes outside the pool beside those that were there before, as parts of those of the data, on the way there and back.
void check(const Size& size, const char* labels, const Function& f, double part) {
  const DlArray x = dlarray(single_(rand(size)), labels);
  const Index channels = dl::size(x, "C");
  const std::vector<DlArray> inputs{x, single_(rand(channels, 1)), single_(rand(channels, 1))};
  const auto bytes = static_cast<double>(numel(x)) * 4;
  const auto of = [&](auto&& run) {
    // Each thread has its own.
    const std::size_t made = test::mostMadeBy([&] { cpu::withThreads(2, [&] { return run(), 0; }); });
    return static_cast<double>(made) / bytes;
  };
  const double there = of([&] { (void)f(inputs[0], inputs[1], inputs[2]); });
  BOOST_TEST(there < part, labels << " " << toString(size) << ": " << there);
  const double back =
      of([&] { (void)dlfeval([&](const std::vector<DlArray>& v) { return dlvjp(f(v[0], v[1], v[2]), v, x); }, inputs); });
  BOOST_TEST(back < part, labels << " " << toString(size) << " and back: " << back);
}

const Function batch = [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s); };
const Function given = [](const DlArray& x, const DlArray& o, const DlArray& s) { return batchnorm(x, o, s, o, s); };
const Function layer = [](const DlArray& x, const DlArray& o, const DlArray& s) { return layernorm(x, o, s); };
const Function instance = [](const DlArray& x, const DlArray& o, const DlArray& s) { return instancenorm(x, o, s); };
const Function acrossChannels = [](const DlArray& x, const DlArray&, const DlArray&) { return crosschannelnorm(x, 5); };

}  // namespace

BOOST_AUTO_TEST_CASE(few_channels) {
  check({1, 2000000}, "CB", batch, 0.1);
  check({28, 28, 1, 4000}, "SSCB", batch, 0.1);
}

// One image or observation, so that there are as many statistics as an image has channels.
BOOST_AUTO_TEST_CASE(small_images) {
  check({3, 3, 512, 512}, "SSCB", instance, 0.5);
  check({3, 3, 200000, 1}, "SSCB", batch, 0.75);
  check({3, 3, 200000, 1}, "SSCB", given, 0.75);
  check({5, 5, 40, 2000}, "SSCB", instance, 0.25);
}

// Parts of a normalised group meet few of its channels.
BOOST_AUTO_TEST_CASE(many_channels_together) { check({4, 4, 32768, 4}, "SSCB", layer, 1); }

// Sums for all channels belong to some rows of them.
BOOST_AUTO_TEST_CASE(wide_rows) { check({100000, 1, 30}, "CBT", layer, 0.75); }

BOOST_AUTO_TEST_CASE(across_many_channels) { check({16, 60000, 4}, "SCB", acrossChannels, 0.25); }
