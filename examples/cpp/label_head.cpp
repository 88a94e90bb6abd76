#include "label_head.h"

#include <map>
#include <stdexcept>
#include <vector>

#include "swiftseg.h"

namespace {

// Field numbers of onnx.proto.
enum { kModelGraph = 7, kGraphNode = 1, kGraphOutput = 12 };
enum { kNodeInput = 1, kNodeOutput = 2, kNodeOpType = 4, kNodeAttribute = 5 };
enum { kAttributeName = 1, kAttributeString = 4 };
enum { kValueName = 1, kValueType = 2, kTypeTensor = 1, kTensorElement = 1, kTensorShape = 2 };
enum { kShapeDim = 1, kFloat = 1 };

struct Field {
    uint64_t number;
    size_t begin, start, end;  // of the field, of its content, behind both
};

struct Node {
    size_t begin, end;
    std::string op_type, input;
    std::vector<std::string> outputs;
    std::map<std::string, std::string> settings;  // the attributes that are text
};

uint64_t read_varint(const std::string &bytes, size_t &at, size_t end)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && at < end; shift += 7) {
        const auto byte = static_cast<uint8_t>(bytes[at++]);
        value |= static_cast<uint64_t>(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    throw std::runtime_error("damaged");
}

// The fields of a message that hold bytes; the others are skipped.
std::vector<Field> fields(const std::string &bytes, size_t at, size_t end)
{
    std::vector<Field> found;
    while (at < end) {
        const size_t begin = at;
        const uint64_t tag = read_varint(bytes, at, end);
        uint64_t length = 0;
        switch (tag & 7) {
        case 0:
            read_varint(bytes, at, end);
            continue;
        case 1:
            length = 8;
            break;
        case 5:
            length = 4;
            break;
        case 2:
            length = read_varint(bytes, at, end);
            break;
        default:
            throw std::runtime_error("damaged");
        }
        if (length > end - at)
            throw std::runtime_error("damaged");
        if ((tag & 7) == 2)
            found.push_back({tag >> 3, begin, at, at + length});
        at += length;
    }
    return found;
}

std::string text(const std::string &bytes, const Field &field)
{
    return bytes.substr(field.start, field.end - field.start);
}

std::string first_text(const std::string &bytes, const Field &message, uint64_t number)
{
    for (const Field &field : fields(bytes, message.start, message.end))
        if (field.number == number)
            return text(bytes, field);
    return "";
}

Node read_node(const std::string &bytes, const Field &field)
{
    Node node{field.begin, field.end, "", "", {}, {}};
    bool has_input = false;
    for (const Field &part : fields(bytes, field.start, field.end)) {
        if (part.number == kNodeInput && !has_input) {
            node.input = text(bytes, part);
            has_input = true;
        } else if (part.number == kNodeOutput) {
            node.outputs.push_back(text(bytes, part));
        } else if (part.number == kNodeOpType) {
            node.op_type = text(bytes, part);
        } else if (part.number == kNodeAttribute) {
            const std::string value = first_text(bytes, part, kAttributeString);
            if (!value.empty())
                node.settings[first_text(bytes, part, kAttributeName)] = value;
        }
    }
    return node;
}

const Node *producer(const std::vector<Node> &nodes, const std::string &value)
{
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
        for (const std::string &output : node->outputs)
            if (output == value)
                return &*node;
    return nullptr;
}

// Whether the labels are the argmax of the logits; a transposition may lie between.
bool is_argmax(const std::vector<Node> &nodes)
{
    std::string value = "labels";
    for (const char *op_type : {"Cast", "ArgMax", "Transpose"}) {
        const Node *node = producer(nodes, value);
        if (node && node->op_type == op_type)
            value = node->input;
        else if (std::string(op_type) != "Transpose")
            return false;
    }
    return value == "logits";
}

int upsampling_of(const Node &node)
{
    const auto mode = node.settings.find("mode");
    if (node.op_type != "Resize" || mode == node.settings.end() || mode->second != "linear")
        return SWIFTSEG_AS_THEY_ARE;
    const auto found = node.settings.find("coordinate_transformation_mode");
    const std::string how = found == node.settings.end() ? "half_pixel" : found->second;
    if (how == "half_pixel")
        return SWIFTSEG_HALF_PIXEL;
    return how == "align_corners" ? SWIFTSEG_ALIGN_CORNERS : SWIFTSEG_AS_THEY_ARE;
}

std::string varint(uint64_t value)
{
    std::string digits;
    for (; value > 0x7F; value >>= 7)
        digits.push_back(static_cast<char>((value & 0x7F) | 0x80));
    digits.push_back(static_cast<char>(value));
    return digits;
}

std::string bytes_field(uint64_t number, const std::string &content)
{
    return varint(number << 3 | 2) + varint(content.size()) + content;
}

// The description of a float32 tensor of four dimensions that the engine works out.
std::string scores_value(const std::string &name)
{
    std::string shape;
    for (int i = 0; i < 4; i++)
        shape += bytes_field(kShapeDim, "");
    const std::string tensor =
        varint(kTensorElement << 3) + varint(kFloat) + bytes_field(kTensorShape, shape);
    return bytes_field(kValueName, name) +
           bytes_field(kValueType, bytes_field(kTypeTensor, tensor));
}

std::optional<LabelHead> cut(const std::string &model)
{
    std::optional<Field> graph;
    for (const Field &field : fields(model, 0, model.size()))
        if (field.number == kModelGraph)
            graph = field;
    if (!graph)
        return std::nullopt;
    const std::vector<Field> parts = fields(model, graph->start, graph->end);
    std::vector<Node> nodes;
    std::vector<std::string> outputs;
    for (const Field &part : parts) {
        if (part.number == kGraphNode)
            nodes.push_back(read_node(model, part));
        else if (part.number == kGraphOutput)
            outputs.push_back(first_text(model, part, kValueName));
    }
    const Node *logits = producer(nodes, "logits");
    if (outputs != std::vector<std::string>{"labels", "logits"} || !logits || !is_argmax(nodes))
        return std::nullopt;
    const int upsampling = upsampling_of(*logits);
    const std::string scores = upsampling == SWIFTSEG_AS_THEY_ARE ? "logits" : logits->input;
    const Node *last = producer(nodes, scores);
    if (!last)  // what is upsampled is the graph's input or a constant
        return std::nullopt;
    std::string body;
    for (const Field &part : parts)  // operators come after those that they read from
        if (part.number != kGraphOutput && !(part.number == kGraphNode && part.begin > last->begin))
            body += model.substr(part.begin, part.end - part.begin);
    body += bytes_field(kGraphOutput, scores_value(scores));
    return LabelHead{model.substr(0, graph->begin) + bytes_field(kModelGraph, body) +
                         model.substr(graph->end),
                     scores, upsampling};
}

}  // namespace

std::optional<LabelHead> cut_label_head(const std::string &model)
{
    try {
        return cut(model);
    } catch (const std::exception &) {
        return std::nullopt;
    }
}
