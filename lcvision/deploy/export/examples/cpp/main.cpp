// Runs an exported model with the graph end2end on images: run_model MODEL IMAGE...
// Everything that it must know is in the model's metadata, JSON that OpenCV reads.
// A line a box: image, name, score, x1, y1, x2, y2; of a classifier name and score; of a segmentor name and share.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#ifdef USE_ONNXRUNTIME
#include <onnxruntime_cxx_api.h>
#else
#include <openvino/openvino.hpp>
#endif

using Outputs = std::map<std::string, const void*>;

static std::string text(const cv::FileNode& node) { return node.isString() ? node.string() : ""; }
static int whole(const cv::FileNode& node) { return static_cast<int>(node.real()); }

#ifdef USE_ONNXRUNTIME
class Model {
public:
    explicit Model(const std::string& path) : session_(env_, path.c_str(), Ort::SessionOptions{}) {
        Ort::AllocatorWithDefaultOptions allocator;
        auto text = session_.GetModelMetadata().LookupCustomMetadataMapAllocated("lcvision", allocator);
        if (text) metadata = text.get();
        input_ = session_.GetInputNameAllocated(0, allocator).get();
        for (size_t i = 0; i < session_.GetOutputCount(); ++i)
            names_.push_back(session_.GetOutputNameAllocated(i, allocator).get());
    }
    Outputs run(const cv::Mat& x, const std::vector<int64_t>& shape) {
        const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
        const auto type = x.depth() == CV_8U ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8
                                             : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
        auto value = Ort::Value::CreateTensor(memory, x.data, x.total() * x.elemSize(), shape.data(), shape.size(),
                                              type);
        std::vector<const char*> names;
        for (const auto& name : names_) names.push_back(name.c_str());
        const char* input = input_.c_str();
        values_ = session_.Run(Ort::RunOptions{nullptr}, &input, &value, 1, names.data(), names.size());
        Outputs found;
        for (size_t i = 0; i < names_.size(); ++i) found[names_[i]] = values_[i].GetTensorRawData();
        return found;
    }
    std::string metadata;
private:
    Ort::Env env_{ORT_LOGGING_LEVEL_ERROR, "run_model"};
    Ort::Session session_;
    std::string input_;
    std::vector<std::string> names_;
    std::vector<Ort::Value> values_;
};
#else
class Model {
public:
    explicit Model(const std::string& path) {
        const auto model = core_.read_model(path);
        if (model->has_rt_info("lcvision")) metadata = model->get_rt_info<std::string>("lcvision");
        else metadata = model->get_rt_info<std::string>("framework", "lcvision");  // of an .onnx file
        const bool bf16 = metadata.find("bf16\"") != std::string::npos;  // "bf16" or "mixed-bf16"
        compiled_ = core_.compile_model(model, "CPU", ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                        ov::hint::inference_precision(bf16 ? ov::element::bf16 : ov::element::f32));
        request_ = compiled_.create_infer_request();
    }
    Outputs run(const cv::Mat& x, const std::vector<int64_t>& shape) {
        const auto type = x.depth() == CV_8U ? ov::element::u8 : ov::element::f32;
        request_.set_input_tensor(ov::Tensor(type, ov::Shape(shape.begin(), shape.end()), x.data));
        request_.infer();
        Outputs found;
        for (const auto& port : compiled_.outputs())
            for (const auto& name : port.get_names()) found[name] = request_.get_tensor(port).data();
        return found;
    }
    std::string metadata;
private:
    ov::Core core_;
    ov::CompiledModel compiled_;
    ov::InferRequest request_;
};
#endif

static cv::Mat resized(const cv::Mat& image, int height, int width, const cv::FileNode& step) {
    static const std::map<std::string, int> ways = {{"nearest", cv::INTER_NEAREST}, {"bilinear", cv::INTER_LINEAR},
        {"bicubic", cv::INTER_CUBIC}, {"area", cv::INTER_AREA}, {"lanczos", cv::INTER_LANCZOS4}};
    if (text(step["backend"]) != "cv2") throw std::runtime_error("resizing by Pillow: take run.py");
    cv::Mat found;
    cv::resize(image, found, {width, height}, 0, 0, ways.at(text(step["interpolation"])));
    return found;
}

static cv::Mat apply(const cv::Mat& image, const cv::FileNode& step) {
    const std::string op = text(step["op"]);
    const int h = image.rows, w = image.cols;
    if (op == "resize") {
        int height = whole(step["size"][0]), width = whole(step["size"][1]);
        if (whole(step["keep_ratio"])) {
            const double factor = std::min(double(std::max(height, width)) / std::max(h, w),
                                           double(std::min(height, width)) / std::min(h, w));
            height = int(h * factor + 0.5), width = int(w * factor + 0.5);
        }
        return resized(image, height, width, step);
    }
    if (op == "resize_edge") {
        const std::string edge = text(step["edge"]);
        const int64_t size = whole(step["size"]);
        if (edge == "width" || (edge == "short" && w < h) || (edge == "long" && w > h))
            return resized(image, int(size * h / w), int(size), step);
        return resized(image, int(size), int(size * w / h), step);
    }
    if (op != "center_crop") throw std::runtime_error("step " + op + " is not in this example: take run.py");
    const int height = std::min(whole(step["size"][0]), h), width = std::min(whole(step["size"][1]), w);
    // Halves are rounded to even numbers, as Python does.
    return image(cv::Rect(std::nearbyint((w - width) / 2.), std::nearbyint((h - height) / 2.), width, height));
}

// The model's input, its shape, and the height and width of the image within it.
static cv::Mat prepare(cv::Mat image, const cv::FileNode& rule, std::vector<int64_t>& shape, cv::Size& inner) {
    for (const auto& step : rule["steps"]) image = apply(image, step);
    inner = image.size();
    const int divisor = whole(rule["divisor"]);
    const int height = (image.rows + divisor - 1) / divisor * divisor;
    const int width = (image.cols + divisor - 1) / divisor * divisor;
    if (text(rule["dynamic"]) != "size" && (height != whole(rule["size"][0]) || width != whole(rule["size"][1])))
        throw std::runtime_error("an image does not become an input of the model's size");
    if (text(rule["colour"]) == "RGB") cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
    shape = {1, image.rows, image.cols, 3};
    if (text(rule["dtype"]) == "uint8") return image.isContinuous() ? image : image.clone();
    shape = {1, 3, height, width};
    cv::Mat planes[3], plane, x(3 * height, width, CV_32F, cv::Scalar(rule["pad_value"].real()));
    cv::split(image, planes);
    for (int channel = 0; channel < 3; ++channel) {
        planes[channel].convertTo(plane, CV_32F);
        if (rule["mean"].isSeq()) {
            cv::subtract(plane, cv::Scalar(rule["mean"][channel].real()), plane);
            cv::divide(plane, cv::Scalar(rule["std"][channel].real()), plane);
        }
        plane.copyTo(x(cv::Rect(0, channel * height, image.cols, image.rows)));
    }
    return x;
}

static void show(const std::string& path, const cv::Mat& image, Model& model, const cv::FileStorage& metadata) {
    std::vector<int64_t> shape;
    cv::Size inner;
    Outputs found = model.run(prepare(image, metadata["input"], shape, inner), shape);
    const std::string task = text(metadata["task"]);
    const auto name = [&](int64_t label) { return text(metadata["names"][int(label)]); };
    if (task == "segmentation") {
        std::map<int, int> counts;
        const auto* labels = static_cast<const uint8_t*>(found.at("labels"));
        const int64_t width = text(metadata["input"]["layout"]) == "NHWC" ? shape[2] : shape[3];
        for (int row = 0; row < inner.height; ++row)
            for (int column = 0; column < inner.width; ++column) ++counts[labels[row * width + column]];
        for (const auto& [label, count] : counts)
            std::printf("%s\t%s\t%.5f\n", path.c_str(), name(label).c_str(), double(count) / inner.area());
        return;
    }
    const auto* scores = static_cast<const float*>(found.at("scores"));
    const auto* labels = static_cast<const int64_t*>(found.at("labels"));
    if (task == "classification") {
        for (int i = 0; i < std::min<int>(5, int(metadata["names"].size())); ++i)
            std::printf("%s\t%s\t%.6f\n", path.c_str(), name(labels[i]).c_str(), scores[i]);
        return;
    }
    const auto* boxes = static_cast<const float*>(found.at("boxes"));
    const float scale[2] = {float(inner.width) / image.cols, float(inner.height) / image.rows};
    for (int i = 0; i < *static_cast<const int32_t*>(found.at("count")); ++i) {
        std::printf("%s\t%s\t%.6f", path.c_str(), name(labels[i]).c_str(), scores[i]);
        for (int side = 0; side < 4; ++side) {
            const float limit = float(side % 2 ? inner.height : inner.width), value = boxes[4 * i + side];
            const float placed = whole(metadata["clip"]) ? std::min(std::max(value, 0.f), limit) : value;
            std::printf("\t%.3f", placed / scale[side % 2]);
        }
        std::printf("\n");
    }
}

int main(int argc, char** argv) try {
    if (argc < 3) throw std::runtime_error("usage: run_model MODEL IMAGE...");
    Model model(argv[1]);
    // OpenCV's JSON has no null.
    const std::string json = std::regex_replace(model.metadata, std::regex("\": null"), "\": \"\"");
    cv::FileStorage metadata(json, cv::FileStorage::READ | cv::FileStorage::MEMORY | cv::FileStorage::FORMAT_JSON);
    if (text(metadata["graph"]) != "end2end") throw std::runtime_error("no lcvision metadata, or no end2end graph");
    for (int i = 2; i < argc; ++i) {
        const cv::Mat image = cv::imread(argv[i]);
        if (image.empty()) throw std::runtime_error(std::string(argv[i]) + " is no image that OpenCV can read");
        show(argv[i], image, model, metadata);
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
}
