// An exported model in ONNX Runtime: a frame of any size in, labels of the same size out.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <string>
#include <vector>

#include "images.h"

class Model {
  public:
    // Load a file that `swiftseg export` wrote. Throws std::runtime_error for any other.
    Model(const std::string &path, int threads);

    LabelMap segment(const Frame &frame);

    const std::vector<std::string> &names() const { return names_; }
    const std::vector<Color> &palette() const { return palette_; }
    SwiftsegSize size() const { return size_; }

  private:
    void read_description(const std::string &path);

    int threads_;
    int upsampling_;
    std::string output_;
    Ort::Env env_;
    Ort::Session session_{nullptr};
    SwiftsegSize size_{};
    std::vector<std::string> names_;
    std::vector<Color> palette_;
};
