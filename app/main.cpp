// The program.
#include "app/command_line.hpp"

int main(int argc, char** argv) { return crosswire::command_line(argc, argv); }
