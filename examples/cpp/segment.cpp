// Segments pictures, or a camera's frames from standard input, with an exported model.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "images.h"
#include "model.h"

namespace {

constexpr const char *kUsage =
    "usage: segment MODEL.onnx PICTURE LABELS [--threads N]\n"
    "       segment MODEL.onnx - - [--threads N]      PPM pictures in, PGM label maps out\n"
    "       segment MODEL.onnx                        the model's classes and input size\n"
    "\n"
    "PICTURE is a .png or .ppm file, LABELS a .png (with the classes' colors) or .pgm file whose\n"
    "values are the classes.\n";

void print_description(const Model &model)
{
    std::cout << "input " << model.size().width << "x" << model.size().height << '\n';
    for (size_t i = 0; i < model.names().size(); i++)
        std::cout << i << ' ' << model.names()[i] << '\n';
}

void segment_stream(Model &model)
{
    std::ios::sync_with_stdio(false);
    while (const auto frame = read_ppm(std::cin, "standard input"))
        write_pgm(std::cout, model.segment(*frame));
}

int threads_of(int count, char **arguments)
{
    if (count == 0)
        return 0;
    char *end = nullptr;
    const long threads = count == 2 ? std::strtol(arguments[1], &end, 10) : 0;
    const bool is_right = count == 2 && std::string(arguments[0]) == "--threads" && *end == '\0';
    return is_right && threads >= 1 && threads <= 1024 ? static_cast<int>(threads) : -1;
}

}  // namespace

int main(int count, char **arguments)
{
    const bool describes = count == 2;
    const int threads = describes ? 0 : threads_of(count - 4, arguments + 4);
    if (count < 2 || (!describes && count < 4) || threads < 0) {
        std::cerr << kUsage;
        return 2;
    }
    const std::string picture = describes ? "" : arguments[2];
    try {
        Model model(arguments[1], threads);
        if (describes)
            print_description(model);
        else if (picture == "-")
            segment_stream(model);
        else
            write_label_map(arguments[3], model.segment(read_frame(picture)), model.palette());
    } catch (const std::exception &error) {
        std::cerr << "segment: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
