// Graphs as pictures: DOT text, and Graphviz's dot to draw it.
#include "network/network.hpp"
#include "io/whole_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dl {

namespace {

/// The sizes of outputs, as far as they are known, by layer.
using OutputSizes = std::map<std::string, std::vector<std::string>>;

// Inside of quotes: quotes and backslashes are escaped, and what would break the line becomes a space.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return result;
}

std::string dotText(const LayerGraph& graph, const OutputSizes& sizes, const network::Caller& caller) {
  std::string text =
      "digraph network {\n  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n"
      "  edge [fontname=\"Helvetica\", fontsize=9];\n";
  const std::vector<AnyLayer>& layers = graph.layers();
  for (std::size_t i = 0; i < layers.size(); ++i)
    text += fmt::format("  n{} [label=\"{}\\n{}\"];\n", i, escaped(layers[i].name()), escaped(layers[i]->type()));
  for (const Connection& connection : graph.connections()) {
    const network::Port from = network::sourcePort(layers, connection.source, caller),
                        to = network::destinationPort(layers, connection.destination, caller);
    std::string attributes;
    const auto add = [&](const char* what, const std::string& value) {
      attributes += fmt::format("{}{}=\"{}\"", attributes.empty() ? "" : ", ", what, escaped(value));
    };
    if (const auto known = sizes.find(layers[from.layer].name());
        known != sizes.end() && from.port < known->second.size() && known->second[from.port] != "unknown")
      add("label", known->second[from.port]);
    if (const auto ports = layers[from.layer]->outputNames(); ports.size() > 1) add("taillabel", ports[from.port]);
    if (const auto ports = network::inputPorts(layers[to.layer]); ports.size() > 1) add("headlabel", ports[to.port]);
    text += fmt::format("  n{} -> n{}{};\n", from.layer, to.layer, attributes.empty() ? "" : " [" + attributes + "]");
  }
  return text + "}\n";
}

/// A file without a name, gone when it is closed.
class Scratch {
 public:
  explicit Scratch(const io::Task& task) : stream_(std::tmpfile()) {
    if (!stream_) task.fail("file", "cannot be drawn, there is no place for temporary files: {}", std::strerror(errno));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::fclose(stream_); }
  int number() const { return ::fileno(stream_); }
  void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stream_);
    std::fflush(stream_);
    std::rewind(stream_);
  }
  std::string firstLine() {
    std::rewind(stream_);
    char line[256] = "";
    const std::string text = std::fgets(line, sizeof line, stream_) ? line : "it said nothing";
    return text.substr(0, text.find('\n'));
  }

 private:
  std::FILE* stream_;
};

// Runs dot without a shell: no name of a file or layer is ever read as a command.
void draw(const std::string& text, const std::string& format, const std::string& target, const io::Task& task) {
  Scratch input(task), complaints(task);
  input.write(text);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.number(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaints.number(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaints.number(), STDERR_FILENO);
  std::string program = "dot", type = "-T" + format, to = "-o" + target;
  char* arguments[] = {program.data(), type.data(), to.data(), nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, "dot", &actions, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed == ENOENT)
    task.fail("dot", "there is no program `dot` to draw it; install Graphviz, or write the graph as text by the ending .dot");
  if (failed != 0) task.fail("dot", "the program `dot` does not start: {}", std::strerror(failed));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) task.fail("dot", "nobody knows what became of the program `dot`: {}", std::strerror(errno));
  if (status != 0) task.fail("dot", "the program `dot` failed: {}", complaints.firstLine());
}

void plotGraph(const LayerGraph& graph, const OutputSizes& sizes, const std::string& file, const std::source_location& where) {
  const io::Task task{"plot", file, where};
  const std::size_t dot = file.find_last_of("./");
  const std::string ending = dot == std::string::npos || file[dot] == '/' ? "" : file.substr(dot + 1);
  static constexpr std::string_view pictures[] = {"svg", "png", "pdf"};
  const bool asText = ending == "dot" || ending == "gv";
  if (!asText && std::ranges::find(pictures, ending) == std::end(pictures))
    task.fail("ending", "the ending \"{}\" is none that can be drawn; use .svg, .png, .pdf, or .dot for the graph as text",
              ending);
  const std::string text = dotText(graph, sizes, {"plot", where});
  io::FileWriter writer(task);
  if (asText)
    writer.write(text);
  else
    draw(text, ending, writer.temporary(), task);
  writer.commit();
}

}  // namespace

void plot(const DlNetwork& net, const std::string& file, std::source_location where) {
  OutputSizes sizes;
  if (net.initialized())
    for (const NetworkAnalysis::LayerInfo& layer : analyzeNetwork(net).layers) sizes[layer.name] = layer.outputs;
  plotGraph(NetworkAccess::graph(net), sizes, file, where);
}

void plot(const LayerGraph& graph, const std::string& file, std::source_location where) { plotGraph(graph, {}, file, where); }

}  // namespace dl
