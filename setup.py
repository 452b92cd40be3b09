"""What setup.cfg cannot say: the configs stand beside the package and are installed in it."""
from setuptools import find_packages, setup

setup(packages=[*find_packages(include=['lcvision*']), 'lcvision.configs'], package_dir={'lcvision.configs': 'configs'})
