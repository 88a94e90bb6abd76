from setuptools import setup

setup(
    name="swiftseg_ros",
    version="0.1.0",
    packages=["swiftseg_ros"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/swiftseg_ros"]),
        ("share/swiftseg_ros", ["package.xml"]),
    ],
    install_requires=["setuptools", "swiftseg"],
    entry_points={"console_scripts": ["segment = swiftseg_ros.segment_node:main"]},
)
