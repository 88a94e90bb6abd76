#include "model.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "label_head.h"

namespace {

constexpr int kFormatVersion = 1;
constexpr const char *kInput = "frames";

std::string read_file(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw std::runtime_error(path + ": cannot be opened");
    return {std::istreambuf_iterator<char>(in), {}};
}

void check(int status)
{
    if (status == SWIFTSEG_NO_MEMORY)
        throw std::runtime_error("no memory for the labels");
    if (status != SWIFTSEG_DONE)
        throw std::runtime_error("a size is out of range");
}

}  // namespace

Model::Model(const std::string &path, int threads)
    : threads_(threads), env_(ORT_LOGGING_LEVEL_ERROR, "segment")
{
    const std::string bytes = read_file(path);
    const std::optional<LabelHead> head = cut_label_head(bytes);
    const std::string &model = head ? head->model : bytes;
    output_ = head ? head->scores : "logits";
    upsampling_ = head ? head->upsampling : SWIFTSEG_AS_THEY_ARE;
    Ort::SessionOptions options;
    if (threads > 0)
        options.SetIntraOpNumThreads(threads);
    options.SetInterOpNumThreads(1);
    // Arithmetic with values below 1e-38 is many times slower, and no label depends on them.
    options.AddConfigEntry("session.set_denormal_as_zero", "1");
    try {
        session_ = Ort::Session(env_, model.data(), model.size(), options);
    } catch (const Ort::Exception &error) {
        throw std::runtime_error(path + ": ONNX Runtime cannot load it: " + error.what());
    }
    read_description(path);
}

void Model::read_description(const std::string &path)
{
    Ort::AllocatorWithDefaultOptions allocator;
    const auto text =
        session_.GetModelMetadata().LookupCustomMetadataMapAllocated("swiftseg", allocator);
    if (!text)
        throw std::runtime_error(path + ": swiftseg did not export it, it names no classes");
    try {
        const auto spec = nlohmann::json::parse(text.get());
        if (spec.at("format_version") != kFormatVersion)
            throw std::runtime_error("another version of its format");
        if (spec.at("output") == "probs")
            throw std::runtime_error("it gives probabilities; export labels or logits");
        size_ = {spec.at("input").at("size_hw").at(0), spec.at("input").at("size_hw").at(1)};
        names_ = spec.at("labels").at("names").get<std::vector<std::string>>();
        for (const auto &color : spec.at("labels").at("palette"))
            palette_.push_back({color.at(0), color.at(1), color.at(2)});
    } catch (const std::exception &error) {
        throw std::runtime_error(path + ": " + error.what());
    }
}

LabelMap Model::segment(const Frame &frame)
{
    std::vector<uint8_t> pixels(static_cast<size_t>(size_.height * size_.width * 3));
    check(swiftseg_resize_frame(frame.pixels.data(), frame.size, pixels.data(), size_));
    const int64_t shape[] = {1, size_.height, size_.width, 3};
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const auto input =
        Ort::Value::CreateTensor<uint8_t>(memory, pixels.data(), pixels.size(), shape, 4);
    const char *output = output_.c_str();
    const auto results = session_.Run(Ort::RunOptions{nullptr}, &kInput, &input, 1, &output, 1);
    const auto scores_shape = results[0].GetTensorTypeAndShapeInfo().GetShape();
    if (scores_shape.size() != 4 || scores_shape[1] != static_cast<int64_t>(names_.size()))
        throw std::runtime_error("the model gives other scores than it says");
    LabelMap labels{size_, std::vector<uint8_t>(static_cast<size_t>(size_.height * size_.width))};
    check(swiftseg_label_scores(results[0].GetTensorData<float>(), scores_shape[1],
                                {scores_shape[2], scores_shape[3]}, upsampling_,
                                labels.labels.data(), size_, threads_ > 0 ? threads_ : 1));
    LabelMap restored{frame.size, std::vector<uint8_t>(frame.pixels.size() / 3)};
    check(swiftseg_restore_labels(labels.labels.data(), size_, restored.labels.data(), frame.size));
    return restored;
}
