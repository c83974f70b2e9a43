// Files nobody vouches for: whatever the bytes, reading them gives arrays, a network or an Error, and nothing else. Before the
// first input the target writes files of its own into the corpus folder that it is given, if that is empty.
#include <dlarray/dlarray.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>

using namespace dl;

namespace {

struct Scale : Layer {
  double start = 2;
  DlArray offset;
  Padding padding = "same";
  Initializer initializer = "he";
  WindowSizes window = {3, 3};
  std::string type() const override { return "Scale"; }
  void initialize(Parameters& p, const std::vector<DataLayout>&) const override {
    p.learnable("Scale", single_(ones(2, 1)));
    p.state("Count", 0.0f);
  }
  std::vector<DlArray> predict(const std::vector<DlArray>& X, const Parameters&) const override { return X; }
  void options(OptionVisitor& visit) override {
    visit("start", start);
    visit("offset", offset);
    visit("padding", padding);
    visit("initializer", initializer);
    visit("window", window);
  }
};

void seed(const std::filesystem::path& folder) {
  Scale one, two;
  one.name = "one";
  one.offset = dlarray(ones(2, 1), "CB");
  two.name = "two";
  const DlNetwork inner = dlnetwork({AnyLayer(two)}, DlnetworkOptions{.initialize = false});
  const DlNetwork net = dlnetwork({AnyLayer(one), networkLayer(inner, {.name = "block"})}, DlnetworkOptions{.initialize = false});
  save(net, folder / "bare");
  const DlNetwork ready = initialize(net, dlarray(single_(ones(2, 1)), "CB"));
  save(ready, folder / "net");
  save(ready.learnables(), folder / "table");
  saveSafetensors(folder / "arrays",
                  {{"x", dlarray(rand(3, 2), "CB")}, {"y", single_(rand(2, 2))}, {"z", ones(2, 2) > 0}, {"e", DlArray()}},
                  {{"key", "text"}});
}

std::string& file() {
  static std::string name;
  return name;
}

void removeFile() { std::remove(file().c_str()); }

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const bool memory = std::filesystem::is_directory("/dev/shm");
  file() = std::string(memory ? "/dev/shm" : "/tmp") + "/dlarray-fuzz-" + std::to_string(::getpid());
  std::atexit(removeFile);
  for (int i = 1; i < *argc; ++i) {
    const std::filesystem::path folder = (*argv)[i];
    if (std::filesystem::is_directory(folder) && std::filesystem::is_empty(folder)) seed(folder);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t count) {
  if (std::FILE* out = std::fopen(file().c_str(), "wb")) {
    std::fwrite(bytes, 1, count, out);
    std::fclose(out);
  }
  const auto attempt = [](auto read) {
    try {
      read();
    } catch (const Error&) {
    }
  };
  attempt([] { loadSafetensors(file()); });
  attempt([] { loadLearnables(file()); });
  attempt([] {
    const DlNetwork net = loadNetwork(file(), {.customLayers = {AnyLayer(Scale())}});
    for (const auto& row : net.learnables()) static_cast<void>(sum(row.value, "all"));
  });
  return 0;
}
