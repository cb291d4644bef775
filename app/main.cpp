// The program: its command line and exit status (0 success, 1 a failure explained in one line on stderr, 2 wrong
// usage).
#include <CLI/CLI.hpp>

#include "app/flow.hpp"
#include "app/replay.hpp"
#include "app/run.hpp"

namespace {

void add_run_command(CLI::App& root, crosswire::RunOptions& options, int& exit_code) {
  CLI::App* const run =
      root.add_subcommand("run", "Run the appliance until SIGINT or SIGTERM, then drain and print its figures");
  run->add_option("--config", options.config, "configuration file (TOML)")->required()->type_name("FILE");
  run->add_option("--record", options.record, "write the input into this capture; replayed, it gives the same answers")
      ->type_name("FILE");
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
      ->type_name("FILE");
  replay->add_option("--in", options.ins, "capture to replay: pcap or pcapng, Ethernet")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE");
  replay->add_option("--out", options.outs, "capture to write: classic pcap, nanoseconds")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE");
  replay->add_option("--report", options.reports, "write the figures as JSON")
      ->allow_extra_args(false)
      ->type_name("FILE");
  replay
      ->add_option(
          "--session", options.session,
          "name of the order session, ten characters, where the capture's clients know another than that of its start")
      ->type_name("NAME");
  replay->footer(
      "Example:\n  crosswire replay --config crosswire.toml --in today.pcap --out answers.pcap --report report.json");
  replay->callback([&options, &exit_code] { exit_code = crosswire::replay_main(options); });
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
  crosswire::add_flow_command(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kWrongUsage;
  }
  return exit_code;
}
