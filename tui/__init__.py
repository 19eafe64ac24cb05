"""The screen: it draws views and computes nothing."""
