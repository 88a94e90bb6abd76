// Pictures in and label maps out: PNG, PPM (P6) and PGM (P5), 8 bits a channel.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "swiftseg.h"

struct Frame {
    SwiftsegSize size;
    std::vector<uint8_t> pixels;  // (height, width, 3), RGB
};

struct LabelMap {
    SwiftsegSize size;
    std::vector<uint8_t> labels;  // (height, width)
};

struct Color {
    uint8_t red, green, blue;
};

// Read a .png or .ppm file. Throws std::runtime_error for what is neither, or not 8-bit RGB.
Frame read_frame(const std::string &path);

// Read the next of any number of PPM pictures, as ffmpeg writes them; nothing at the end.
std::optional<Frame> read_ppm(std::istream &in, const std::string &name);

// Write a palette PNG whose values are the classes, or a PGM of them, as the name ends.
void write_label_map(const std::string &path, const LabelMap &map,
                     const std::vector<Color> &palette);

void write_pgm(std::ostream &out, const LabelMap &map);
