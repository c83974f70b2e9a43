// No public function on arrays without a row: the names in the headers against the names in the rows.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path root = DLARRAY_SOURCE_DIR;

// Functions that give an array back, operators included, but for those in namespace detail.
void collectFunctions(Names& names, const fs::path& header) {
  std::ifstream in(header);
  bool internal = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("namespace detail {")) internal = true;
    if (line.starts_with("}")) internal = false;
    for (const char* type : {"DlArray ", "DlArray& ", "inline DlArray ", "std::tuple<DlArray, DlArray> "})
      if (const auto end = line.find('('); !internal && line.starts_with(type) && end != std::string::npos)
        names.insert(line.substr(std::string(type).size(), end - std::string(type).size()));
  }
}

Names publicFunctions() {
  Names names;
  for (const char* room : {"ops", "nn"})
    for (const auto& entry : fs::directory_iterator(root / "include/dlarray" / room))
      if (entry.path().filename() != "derivatives.hpp")  // no functions of arrays alone: tests/ops/derivatives_test.cpp
        collectFunctions(names, entry.path());
  return names;
}

// The first word of what stands in quotes behind one of the words that begin a row.
void collectRows(Names& names, const fs::path& file) {
  std::ostringstream buffer;
  buffer << std::ifstream(file).rdbuf();
  const std::string text = buffer.str();
  for (const std::string maker :
       {"row(", "elementwise(", "expanding(", "asking(", "checkReduction(", "checkAlong(", "join(", "one(", "Row{"})
    for (auto at = text.find(maker); at != std::string::npos; at = text.find(maker, at + 1)) {
      const auto quote = text.find_first_not_of(" \n", at + maker.size());
      if (text[quote] == '"') names.insert(text.substr(quote + 1, text.find_first_of(" \"", quote + 1) - quote - 1));
    }
}

Names rowNames() {
  Names names;
  for (const char* room : {"ops", "nn"})
    for (const auto& entry : fs::directory_iterator(root / "tests" / room))
      if (entry.path().filename().string().starts_with("rows_")) collectRows(names, entry.path());
  return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_public_function_has_a_row) {
  const Names functions = publicFunctions(), rows = rowNames();
  BOOST_TEST_REQUIRE(functions.size() > 120U);
  for (const std::string& name : functions) BOOST_TEST(rows.contains(name), name << " has no row");
  // Declared beside the array and the subscripts.
  for (const char* name : {"dlarray", "stripdims", "cast", "double_", "logical_", "all"})
    BOOST_TEST(rows.contains(name), name << " has no row");
}

BOOST_AUTO_TEST_CASE(the_names_are_found) {
  const Names functions = publicFunctions(), rows = rowNames();
  for (const char* name : {"operator+", "operator&&", "operator%=", "sum", "max", "reshape", "psi", "zeros", "sort"})
    BOOST_TEST(functions.contains(name), name);
  BOOST_TEST(!functions.contains("reshaped"));
  BOOST_TEST(!rows.contains("nosuchfunction"));
  BOOST_TEST(!rows.contains(""));
}
