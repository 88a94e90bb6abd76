#include "images.h"

#include <png.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

namespace {

constexpr int64_t kMostPixels = 1 << 28;  // a damaged header shall not take all memory

bool ends_in(const std::string &name, const std::string &end)
{
    return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

void check_size(const std::string &name, int64_t height, int64_t width)
{
    if (height > kMostPixels / width)
        throw std::runtime_error(name + ": " + std::to_string(width) + "x" +
                                 std::to_string(height) + " pixels are more than 2^28");
}

Frame read_png(const std::string &path)
{
    png_image image;
    std::memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, path.c_str()))
        throw std::runtime_error(path + ": " + image.message);
    const bool is_plain = image.format == PNG_FORMAT_RGB || image.format == PNG_FORMAT_GRAY;
    if (!is_plain) {
        png_image_free(&image);
        throw std::runtime_error(path + ": expected 8-bit RGB or gray without transparency");
    }
    check_size(path, image.height, image.width);
    image.format = PNG_FORMAT_RGB;
    Frame frame{{image.height, image.width}, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
    if (!png_image_finish_read(&image, nullptr, frame.pixels.data(), 0, nullptr))
        throw std::runtime_error(path + ": " + image.message);
    return frame;
}

// Read a number of a PPM's header, behind white space and comments.
int64_t read_number(std::istream &in)
{
    while (in >> std::ws && in.peek() == '#')
        in.ignore(1 << 20, '\n');
    int64_t number = -1;
    in >> number;
    return number;
}

}  // namespace

std::optional<Frame> read_ppm(std::istream &in, const std::string &name)
{
    char magic[2];
    if (!in.read(magic, 2)) {
        if (in.gcount() == 0)
            return std::nullopt;
        throw std::runtime_error(name + ": ends within a picture");
    }
    if (magic[0] != 'P' || magic[1] != '6')
        throw std::runtime_error(name + ": expected a PPM picture (P6), 8 bits a channel");
    const int64_t width = read_number(in), height = read_number(in), largest = read_number(in);
    in.get();  // one white space ends the header
    if (!in || width < 1 || height < 1 || largest != 255)
        throw std::runtime_error(name + ": expected a PPM picture (P6), 8 bits a channel");
    check_size(name, height, width);
    Frame frame{{height, width}, std::vector<uint8_t>(static_cast<size_t>(height * width * 3))};
    if (!in.read(reinterpret_cast<char *>(frame.pixels.data()),
                 static_cast<std::streamsize>(frame.pixels.size())))
        throw std::runtime_error(name + ": ends within a picture");
    return frame;
}

Frame read_frame(const std::string &path)
{
    if (ends_in(path, ".png"))
        return read_png(path);
    if (!ends_in(path, ".ppm"))
        throw std::runtime_error(path + ": expected a .png or .ppm file");
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw std::runtime_error(path + ": cannot be opened");
    std::optional<Frame> frame = read_ppm(in, path);
    if (!frame)
        throw std::runtime_error(path + ": is empty");
    return *frame;
}

void write_pgm(std::ostream &out, const LabelMap &map)
{
    out << "P5\n" << map.size.width << ' ' << map.size.height << "\n255\n";
    out.write(reinterpret_cast<const char *>(map.labels.data()),
              static_cast<std::streamsize>(map.labels.size()));
    if (!out.flush())
        throw std::runtime_error("the labels cannot be written");
}

void write_label_map(const std::string &path, const LabelMap &map,
                     const std::vector<Color> &palette)
{
    if (ends_in(path, ".pgm")) {
        std::ofstream out(path, std::ios::binary);
        if (!out)
            throw std::runtime_error(path + ": cannot be written");
        return write_pgm(out, map);
    }
    if (!ends_in(path, ".png"))
        throw std::runtime_error(path + ": expected a name that ends in .png or .pgm");
    png_image image;
    std::memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(map.size.width);
    image.height = static_cast<png_uint_32>(map.size.height);
    image.format = PNG_FORMAT_RGB_COLORMAP;
    image.colormap_entries = static_cast<png_uint_32>(palette.size());
    if (!png_image_write_to_file(&image, path.c_str(), 0, map.labels.data(), 0, palette.data()))
        throw std::runtime_error(path + ": " + image.message);
}
