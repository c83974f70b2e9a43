// No public function on arrays without a row: the names in the headers against the names in the rows.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void collect(std::set<std::string>& names, const std::string& text, const std::regex& pattern) {
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) names.insert((*match)[1]);
}

const fs::path root = fs::path(__FILE__).parent_path().parent_path().parent_path();

// Functions that give an array back, operators included; what stands in namespace detail is indented no differently, so it is cut out.
std::set<std::string> publicFunctions() {
  static const std::regex declaration(R"((?:^|\n)(?:inline )?(?:DlArray&?|std::tuple<[^\n]*>) (operator[^\s\w(]+|\w+)\()");
  static const std::regex internals(R"(namespace detail \{[\s\S]*?\n\})");
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(root / "include/dlarray/ops"))
    if (entry.path().filename() != "derivatives.hpp")  // no functions of arrays alone: tests/ops/derivatives_test.cpp
      collect(names, std::regex_replace(contents(entry.path()), internals, ""), declaration);
  return names;
}

std::set<std::string> rowNames() {
  static const std::regex row(R"((?:row|elementwise|expanding|asking|checkReduction|checkAlong|join|one|Row)[({]\s*"(operator[^\s\w"]+|\w+))");
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(root / "tests/ops"))
    if (entry.path().filename().string().starts_with("rows_")) collect(names, contents(entry.path()), row);
  return names;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_public_function_has_a_row) {
  const std::set<std::string> functions = publicFunctions(), rows = rowNames();
  BOOST_TEST_REQUIRE(functions.size() > 120U);
  for (const std::string& name : functions) BOOST_TEST(rows.contains(name), name << " has no row");
  // Declared beside the array and the subscripts.
  for (const char* name : {"dlarray", "stripdims", "cast", "double_", "logical_", "all"}) BOOST_TEST(rows.contains(name), name << " has no row");
}

BOOST_AUTO_TEST_CASE(the_names_are_found) {
  const std::set<std::string> functions = publicFunctions(), rows = rowNames();
  for (const char* name : {"operator+", "operator&&", "operator%=", "sum", "max", "reshape", "psi", "zeros", "sort"}) BOOST_TEST(functions.contains(name), name);
  BOOST_TEST(!functions.contains("reshaped"));
  BOOST_TEST(!rows.contains("nosuchfunction"));
}
