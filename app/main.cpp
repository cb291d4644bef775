// The program: its command line and exit status (0 success, 1 a failure explained in one line on stderr, 2 wrong
// usage).
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/doctor.hpp"
#include "app/echo.hpp"
#include "app/flow.hpp"
#include "app/load.hpp"
#include "app/plan.hpp"
#include "app/replay.hpp"
#include "app/run.hpp"
#include "app/top.hpp"

namespace {

/// A shell variable that is not set becomes an empty name.
CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }, ""};
}

/// `whose`: what the histograms' files are named by.
void add_hgrm_option(CLI::App& command, std::string& folder, const std::string& whose) {
  command
      .add_option("--hgrm", folder,
                  "at the end, write each latency histogram into this folder, as " + whose +
                      "-LATENCY.hgrm:\nHdrHistogram's percentile format, values in microseconds")
      ->type_name("DIR")
      ->check(not_empty());
}

void add_run_command(CLI::App& root, crosswire::RunOptions& options, int& exit_code) {
  CLI::App* const run = root.add_subcommand(
      "run",
      "Run the appliance until SIGINT or SIGTERM, then drain and print its figures.\n"
      "Given several times, --config, --record and --report go together by their order: a partition each, on a device\n"
      "and cores of its own.");
  run->add_option("--config", options.configs, "configuration file (TOML)")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  run->add_option("--record", options.records, "write the input into this capture; replayed, it gives the same answers")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  run->add_option("--report", options.reports, "write the figures as JSON")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  add_hgrm_option(*run, options.hgrm, "PARTITION");
  run->add_option("--log-file", options.log.file, "append the log to this file (default: stderr)")
      ->type_name("FILE")
      ->check(not_empty());
  const auto set_level = [&options](const std::string& level) {
    using crosswire::LogLevel;
    options.log.least = level == "error" ? LogLevel::error : level == "warning" ? LogLevel::warning : LogLevel::info;
  };
  run->add_option_function<std::string>("--log-level", set_level,
                                        "leave out of the log what is below: info is the life of the process, warning "
                                        "is to be looked at,\nerror to be acted on (default info)")
      ->check(CLI::IsMember({"info", "warning", "error"}));
  run->footer("Example:\n  crosswire run --config crosswire.toml --record today.pcap");
  run->callback([&options, &exit_code] { exit_code = crosswire::run_main(options); });
}

void add_replay_command(CLI::App& root, crosswire::ReplayOptions& options, int& exit_code) {
  CLI::App* const replay = root.add_subcommand(
      "replay",
      "Feed captures through the same stages as live, time from the capture: same input, same bytes out.\n"
      "Given several times, --in, --out and --report go together by their order: a partition each, side by side.");
  replay->add_option("--config", options.configs, "configuration file (TOML): one for all, or one for each --in")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  replay->add_option("--in", options.ins, "capture to replay: pcap or pcapng, Ethernet")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  replay->add_option("--out", options.outs, "capture to write: classic pcap, nanoseconds")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  replay->add_option("--report", options.reports, "write the figures as JSON")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->check(not_empty());
  add_hgrm_option(*replay, options.hgrm, "CAPTURE");
  replay
      ->add_option(
          "--session", options.session,
          "name of the order session, ten characters, where the capture's clients know another than that of its start")
      ->type_name("NAME");
  replay
      ->add_option(
          "--cores", options.cores,
          "threads that each capture's stages are polled by: 1 all; 2 receive, the rest; 3 receive, match, the\n"
          "rest; 4 each its own. Same bytes out with any (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1, 4));
  replay->footer(
      "Example:\n  crosswire replay --config crosswire.toml --in today.pcap --out answers.pcap --report report.json");
  replay->callback([&options, &exit_code] { exit_code = crosswire::replay_main(options); });
}

/// "run, replay, ... or top", as they were added.
std::string commands_of(CLI::App& root) {
  const std::vector<CLI::App*> commands = root.get_subcommands([](const CLI::App*) { return true; });
  std::string text;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i > 0) text += i + 1 == commands.size() ? " or " : ", ";
    text += commands[i]->get_name();
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kWrongUsage = 2;
  int exit_code = 0;
  crosswire::RunOptions run;
  crosswire::ReplayOptions replay;
  CLI::App app("crosswire: a kernel-bypass exchange appliance", "crosswire");
  app.set_version_flag("--version", "crosswire " CROSSWIRE_VERSION);
  app.require_subcommand(1);
  app.footer("Example:\n  crosswire replay --help");
  add_run_command(app, run, exit_code);
  add_replay_command(app, replay, exit_code);
  crosswire::add_doctor_command(app, exit_code);
  crosswire::add_flow_command(app, exit_code);
  crosswire::add_load_command(app, exit_code);
  crosswire::add_echo_command(app, exit_code);
  crosswire::add_plan_command(app, exit_code);
  crosswire::add_top_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) {
      std::fprintf(stderr, "crosswire: \"%s\" is no command; give %s, or see crosswire --help\n", argv[1],
                   commands_of(app).c_str());
      return kWrongUsage;
    }
    if (app.exit(error) != 0) return kWrongUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crosswire: %s\n", error.what());
    return 1;
  }
  // Figures that could not be printed are lost: the caller must know.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "crosswire: the output cannot be written; make room where stdout goes\n");
    return 1;
  }
  return exit_code;
}
