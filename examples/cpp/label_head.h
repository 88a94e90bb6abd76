// The end of a labels graph, taken out of the engine, as swiftseg does in Python.
//
// An exported file ends in a bilinear upsampling of the logits and the largest of them, which an
// engine computes far slower than swiftseg_label_scores. The file's bytes are cut before them.
#pragma once

#include <optional>
#include <string>

struct LabelHead {
    std::string model;   // an .onnx file in memory, whose only output is `scores`
    std::string scores;  // the output's name; float32 (N, C, h, w)
    int upsampling;      // of swiftseg.h
};

// Cut a file before its argmax, and before the upsampling where that comes last. Gives nothing
// where the labels are made in another way, and for a damaged file, which the engine shall refuse.
std::optional<LabelHead> cut_label_head(const std::string &model);
